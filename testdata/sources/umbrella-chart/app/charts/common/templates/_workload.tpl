{{/* Merges a chart's own definition over the one that all workloads share. */}}
{{- define "common.merge" -}}
{{- $top := first . -}}
{{- $own := fromYaml (include (index . 1) $top) | default dict -}}
{{- $shared := fromYaml (include (index . 2) $top) | default dict -}}
{{- toYaml (mergeOverwrite $shared $own) -}}
{{- end -}}

{{- define "common.deployment.base" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ printf "%s-%s" .Release.Name .Chart.Name }}
  labels: {{- include "common.labels" (dict "context" .) | nindent 4 }}
spec:
  replicas: {{ .Values.replicas | default 1 }}
  revisionHistoryLimit: 3
  selector:
    matchLabels: {app: {{ printf "%s-%s" .Release.Name .Chart.Name }}}
  template:
    metadata:
      labels: {app: {{ printf "%s-%s" .Release.Name .Chart.Name }}}
    spec:
      automountServiceAccountToken: false
{{- end -}}

{{- define "common.deployment" -}}
{{- include "common.merge" (append . "common.deployment.base") -}}
{{- end -}}

{{- define "common.image" -}}
{{- printf "%s/%s:%s" (.Values.global.imageRegistry | default "docker.io") .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
