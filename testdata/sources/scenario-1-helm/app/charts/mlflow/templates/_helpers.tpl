{{- define "mlflow.labels" -}}
app.kubernetes.io/part-of: mlops
mlops.example.internal/environment: {{ .Values.environment }}
{{- end }}
