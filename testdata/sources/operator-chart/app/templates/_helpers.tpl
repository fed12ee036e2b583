{{- define "mailer.name" -}}{{ .Release.Name }}{{- end }}
{{- define "mailer.labels" -}}
app: {{ include "mailer.name" . }}
{{- end }}
{{- define "mailer.smtp" -}}
{{- $smtp := .Values.smtp -}}
{{- printf "smtps://%s:%s@%s:%d" (required "smtp.user is required" $smtp.user) (required "smtp.password is required" $smtp.password) $smtp.host (int $smtp.port) -}}
{{- end }}
