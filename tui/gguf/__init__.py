"""The GGUF file format: headers, quantization names, shards. Reads files and values; knows nothing of models in use."""
