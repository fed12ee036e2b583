# environments: dev prod
helm template api deploy/chart --namespace shop --include-crds --skip-tests --values values.yaml --values envs/$env/values.yaml --values deploy/sizes.yaml --set-string annotations.build=42
echo ---; cat base/extras.yaml
