# One image for every process of Gridtick; docker-compose.yml gives each its command.
# The digest is that of the multi-platform index of the tag.
ARG PYTHON=python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/gridtick
COPY requirements-service.lock /build/
# The lock is complete: nothing is looked up, and every file must have its hash.
RUN /opt/gridtick/bin/pip install --no-deps --require-hashes --only-binary=:all: --no-compile \
        -r /build/requirements-service.lock
COPY . /build/
RUN /opt/gridtick/bin/pip install --no-deps --no-build-isolation --no-index --no-compile /build \
    && /opt/gridtick/bin/pip check \
    && /opt/gridtick/bin/pip uninstall --yes setuptools pip
# Bytecode now: the containers' own files cannot be written. It is not compared with the files' times: a copy may change them.
RUN /opt/gridtick/bin/python -m compileall -q -q -j 0 --invalidation-mode unchecked-hash -x '/tests?/' /opt/gridtick/lib

FROM ${PYTHON}
RUN groupadd --gid 10001 gridtick \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin gridtick \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/gridtick
COPY --from=build /opt/gridtick /opt/gridtick
ENV PATH=/opt/gridtick/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
CMD ["gridtick", "--help"]
