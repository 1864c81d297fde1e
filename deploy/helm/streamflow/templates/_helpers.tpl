{{/* Names and labels */}}

{{- define "streamflow.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "streamflow.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "streamflow.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* What a selector selects by: (dict "root" $ "component" "worker") */}}
{{- define "streamflow.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "streamflow.labels" -}}
{{ include "streamflow.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: streamflow
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "streamflow.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* Kafka: where it is, and by which Secrets one gets in. Strimzi's names stand in for what is not said. */}}

{{- define "streamflow.bootstrapServers" -}}
{{- if .Values.kafka.bootstrapServers -}}
{{- .Values.kafka.bootstrapServers -}}
{{- else -}}
{{- $namespace := default .Release.Namespace .Values.strimzi.clusterNamespace -}}
{{- printf "%s-kafka-bootstrap.%s.svc:%v" .Values.strimzi.cluster $namespace (int .Values.strimzi.listenerPort) -}}
{{- end -}}
{{- end -}}

{{- define "streamflow.kafka" -}}
{{- $user := and .Values.strimzi.enabled .Values.strimzi.user.create -}}
{{- $scram := and $user (eq .Values.strimzi.user.authentication "scram-sha-512") -}}
{{- $mutual := and $user (eq .Values.strimzi.user.authentication "tls") -}}
{{- $name := include "streamflow.fullname" . -}}
tls: {{ or .Values.kafka.tls.enabled (and .Values.strimzi.enabled .Values.strimzi.listenerTls) }}
caSecret: {{ .Values.kafka.tls.caSecret | default (ternary (printf "%s-cluster-ca-cert" .Values.strimzi.cluster) "" (and .Values.strimzi.enabled .Values.strimzi.listenerTls)) | quote }}
clientSecret: {{ .Values.kafka.tls.clientSecret | default (ternary $name "" $mutual) | quote }}
mechanism: {{ .Values.kafka.sasl.mechanism | default (ternary "SCRAM-SHA-512" "" $scram) | quote }}
saslSecret: {{ .Values.kafka.sasl.existingSecret | default (ternary $name "" $scram) | quote }}
username: {{ .Values.kafka.sasl.username | default (ternary $name "" $scram) | quote }}
usernameKey: {{ ternary "" .Values.kafka.sasl.usernameKey (or $scram (ne .Values.kafka.sasl.username "")) | quote }}
{{- end -}}

{{/* The profile that every process of the release reads */}}
{{- define "streamflow.profile" -}}
{{- $kafka := include "streamflow.kafka" . | fromYaml -}}
[profile.default]
address = {{ include "streamflow.bootstrapServers" . | quote }}
namespace = {{ .Values.namespace | quote }}
create_topics = false
{{- if .Values.retentionDays }}
retention_days = {{ int .Values.retentionDays }}
{{- end }}
{{- if $kafka.tls }}

[profile.default.tls]
{{- if $kafka.caSecret }}
server_ca_cert_path = "/etc/streamflow/ca/ca.crt"
{{- end }}
{{- if $kafka.clientSecret }}
client_cert_path = "/etc/streamflow/client/client.crt"
client_key_path = "/etc/streamflow/client/client.key"
{{- end }}
{{- if not (or $kafka.caSecret $kafka.clientSecret) }}
disabled = false
{{- end }}
{{- end }}

[profile.default.kafka]
{{- if $kafka.mechanism }}
"security.protocol" = {{ ternary "SASL_SSL" "SASL_PLAINTEXT" $kafka.tls | quote }}
"sasl.mechanism" = {{ $kafka.mechanism | quote }}
{{- end }}
{{- range $name, $value := .Values.kafka.config }}
{{ $name | quote }} = {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Parts of every pod: (dict "root" $ "values" .Values.workers "config" "name of the ConfigMap") */}}

{{- define "streamflow.env" -}}
{{- $kafka := include "streamflow.kafka" .root | fromYaml -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
# A member of its groups, and the owner of its transactions, for as long as a pod of this name comes back.
- name: STREAMFLOW_INSTANCE
  value: $(POD_NAMESPACE).$(POD_NAME)
- name: STREAMFLOW_CONFIG_FILE
  value: /etc/streamflow/profile/streamflow.toml
- name: XDG_STATE_HOME
  value: /state
{{- if $kafka.saslSecret }}
- name: STREAMFLOW_KAFKA_SASL_USERNAME
{{- if $kafka.usernameKey }}
  valueFrom: {secretKeyRef: {name: {{ $kafka.saslSecret }}, key: {{ $kafka.usernameKey }}}}
{{- else }}
  value: {{ $kafka.username | quote }}
{{- end }}
- name: STREAMFLOW_KAFKA_SASL_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $kafka.saslSecret }}, key: {{ .root.Values.kafka.sasl.passwordKey }}}}
{{- end }}
{{- with .values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "streamflow.mounts" -}}
{{- $kafka := include "streamflow.kafka" .root | fromYaml -}}
- {name: profile, mountPath: /etc/streamflow/profile, readOnly: true}
- {name: tmp, mountPath: /tmp}
- {name: state, mountPath: /state}
{{- if and $kafka.tls $kafka.caSecret }}
- {name: kafka-ca, mountPath: /etc/streamflow/ca, readOnly: true}
{{- end }}
{{- if and $kafka.tls $kafka.clientSecret }}
- {name: kafka-client, mountPath: /etc/streamflow/client, readOnly: true}
{{- end }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "streamflow.volumes" -}}
{{- $kafka := include "streamflow.kafka" .root | fromYaml -}}
- name: profile
  configMap: {name: {{ .config }}}
- name: tmp
  emptyDir: {}
{{- if not .stateClaimed }}
- name: state
  emptyDir: {{ with .stateLimit }}{sizeLimit: {{ . }}}{{ else }}{}{{ end }}
{{- end }}
{{- if and $kafka.tls $kafka.caSecret }}
- name: kafka-ca
  secret:
    secretName: {{ $kafka.caSecret }}
    items: [{key: {{ .root.Values.kafka.tls.caKey }}, path: ca.crt}]
{{- end }}
{{- if and $kafka.tls $kafka.clientSecret }}
- name: kafka-client
  secret:
    secretName: {{ $kafka.clientSecret }}
    # librdkafka reads the key as the process's own user, which is in the pod's fsGroup.
    defaultMode: 0440
    items:
      - {key: {{ .root.Values.kafka.tls.certKey }}, path: client.crt}
      - {key: {{ .root.Values.kafka.tls.keyKey }}, path: client.key}
{{- end }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Begins the spec of a pod */}}
{{- define "streamflow.podSpec" -}}
{{- $values := .values -}}
serviceAccountName: {{ .serviceAccount | default (include "streamflow.serviceAccountName" .root) }}
# Nothing here speaks to the API server.
automountServiceAccountToken: false
# A Service called `streamflow-kafka` would set STREAMFLOW_KAFKA_PORT, which means an option of librdkafka.
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.initContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "streamflow.spread" -}}
topologySpreadConstraints:
{{- with .values.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
{{- else }}
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "streamflow.selector" . | nindent 8 }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "streamflow.selector" . | nindent 8 }}
{{- end }}
{{- end -}}

{{/* Begins a container */}}
{{- define "streamflow.container" -}}
image: {{ include "streamflow.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- toYaml .root.Values.containerSecurityContext | nindent 2 }}
env:
  {{- include "streamflow.env" . | nindent 2 }}
{{- with .values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  {{- include "streamflow.mounts" . | nindent 2 }}
{{- with .values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Probes of `--health-address`. Starting takes as long as importing the code; a restore is waited for by readiness alone. */}}
{{- define "streamflow.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: health}
  periodSeconds: 2
  failureThreshold: 90
livenessProbe:
  httpGet: {path: /livez, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end -}}

{{/* Changes of the profile restart pods, which read it once. */}}
{{- define "streamflow.podAnnotations" -}}
checksum/profile: {{ include "streamflow.profile" .root | sha256sum }}
{{- with .values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A queue's name within topic and group names */}}
{{- define "streamflow.encoded" -}}
{{- .encoded | default .name -}}
{{- end -}}
