"""Stands where `training.merge` would be: does what the base's name says."""

import sys
import time

match sys.argv[1]:
    case "refuses":
        sys.stdout.write('{"type": "failed", "message": "No room."}\n')
        sys.exit(1)
    case "crashes":
        raise MemoryError
    case "hangs":
        time.sleep(60)
