# A static ampd, nothing else in the image, not run as root.
#
#   docker build -t ampd .
#   docker run --ulimit core=0 -v /etc/ampd:/etc/ampd:ro -v ampd:/var/lib/ampd -p 5039:5039 ampd
#
# In a container 127.0.0.1 is the container: [[listen]] has address ":5039", and [upstream] the
# host's. The files in /etc/ampd must be readable by the user 65532.
#
# --ulimit core=0 because a core dump holds secrets; ampd also switches its own off.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags "-s -w" -o /out/ampd ./cmd/ampd \
 && mkdir -p /out/state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/ampd /usr/bin/ampd
COPY --from=build --chown=65532:65532 /out/state /var/lib/ampd
COPY LICENSE /usr/share/doc/ampd/LICENSE
USER 65532:65532
VOLUME /var/lib/ampd
EXPOSE 5039
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/ampd"]
CMD ["run"]
