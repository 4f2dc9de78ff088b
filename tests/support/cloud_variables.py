"""Values for every variable of the stack `cloud`; none of them leads anywhere."""

CLOUD = {
    "STACKHOUSE_KUBERNETES_CONTEXT": "cluster",
    "STACKHOUSE_BUCKET": "bucket",
    "STACKHOUSE_MLFLOW_URI": "https://mlflow.invalid",
    "STACKHOUSE_MLFLOW_USERNAME": "somebody",
    "STACKHOUSE_MLFLOW_PASSWORD": "mlflow-password",
    "STACKHOUSE_CONTAINER_REGISTRY": "europe-docker.pkg.dev/project/images",
    "WANDB_ENTITY": "team",
    "WANDB_API_KEY": "0123456789abcdef0123456789abcdef01234567",
}
