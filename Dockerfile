# One image for every process; which one it is, the command says (see docker-compose.yml).

FROM python:3.11-slim AS build
WORKDIR /build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev
RUN python -m venv /opt/kentering
COPY constraints.txt pyproject.toml setup.py README.md LICENSE ./
COPY services services
COPY migrations migrations
# The hottest modules are compiled (see setup.py); what compiles them stays in this stage.
RUN KENTERING_COMPILE=1 PIP_CONSTRAINT=/build/constraints.txt \
    /opt/kentering/bin/pip install --no-cache-dir .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin kentering \
    && install --directory --owner=kentering --group=kentering /data
COPY --from=build /opt/kentering /opt/kentering
ENV PATH=/opt/kentering/bin:$PATH \
    KENTERING_DATA=/data \
    PYTHONUNBUFFERED=1
USER kentering
WORKDIR /data
VOLUME /data
CMD ["kentering", "--help"]
