# alpamayo_ros in a container: docs/install.md. Not run by the developers, whose machines have no Docker.
FROM python:3.12-slim-bookworm AS tools
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      cmake g++ make git libegl1 libgl1-mesa-dri \
 && rm -rf /var/lib/apt/lists/*

FROM tools AS alpamayo
WORKDIR /opt/alpamayo_ros
COPY . .
RUN ./run setup && rm -rf /root/.cache/pip
ENV PATH=/opt/alpamayo_ros/.venv/bin:$PATH
ENTRYPOINT ["alpamayo"]
CMD ["--help"]
