"""Times as Koreans write them; Django's own put 오전 and 오후 behind the hour."""

DATETIME_FORMAT = "Y년 n월 j일 H:i"
TIME_FORMAT = "H:i"
