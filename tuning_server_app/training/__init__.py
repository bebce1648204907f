"""Training of LoRA adapters with torch, TRL and PEFT; imports no Django."""

import os

# Read when the Hugging Face libraries are first imported, hence before any module here
# can do so: no model is ever looked for on the network, no progress bars in logs, no
# warning about forks.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

# How idle worker threads wait for the next piece of work. By default they spin, and on
# cores shared with other busy programs each spins while the other has work to do:
# measured on two shared cores, a step took 35 s instead of 9 s.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# oneDNN keeps compiled code for each length of rows it met, 1,024 pieces by default:
# 300 MB more where rows all differ. A step needs about 50 of them, many times each.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
