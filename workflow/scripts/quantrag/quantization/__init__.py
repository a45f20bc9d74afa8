"""From original to quantized checkpoints: calibration, tools, errors by layer, perplexity."""
