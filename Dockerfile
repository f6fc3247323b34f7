# One image for every process; which one it is, the command says (see docker-compose.yml).

FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /opt/kentering
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY services services
COPY migrations migrations
RUN /opt/kentering/bin/pip install --no-cache-dir --constraint constraints.txt .

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
