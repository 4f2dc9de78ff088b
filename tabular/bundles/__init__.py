"""What is needed to answer a request: numpy, ONNX Runtime and Pydantic; no pandas, no scikit-learn."""
