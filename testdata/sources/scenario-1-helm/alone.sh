# environments: dev prod
for chart in platform mlflow airflow fastapi; do
  helm template $chart charts/$chart --namespace $chart --include-crds --values values/shared.yaml --values values/$env.yaml
done
