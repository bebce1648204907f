"""Training of LoRA adapters with torch, TRL and PEFT; imports no Django."""

import os

# Read when the Hugging Face libraries are first imported, hence before any module here
# can do so: no model is ever looked for on the network, no warning about forks.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
