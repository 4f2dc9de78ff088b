"""A compiled model: its format, its caching and its predictions, with numpy, ONNX Runtime and Pydantic alone."""
