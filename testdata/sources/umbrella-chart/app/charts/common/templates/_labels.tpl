{{/* Call it with a dictionary of `context` and, optionally, `component`. */}}
{{- define "common.labels" -}}
{{- $labels := dict "app.kubernetes.io/name" .context.Chart.Name "app.kubernetes.io/instance" .context.Release.Name -}}
{{- with .component }}{{- $_ := set $labels "app.kubernetes.io/component" . }}{{- end -}}
{{- $global := default dict .context.Values.global -}}
{{- toYaml (merge $labels (default dict $global.labels)) -}}
{{- end -}}
