# A server for one machine: the laptop's, with keys. `compose.yaml` runs it over MySQL.
FROM python:3.13.9-slim-trixie

ENV PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /srv/image-repo
COPY requirements.txt requirements-local.txt constraints.txt ./
RUN pip install -r requirements-local.txt

COPY app.py ./
COPY .chalice .chalice
COPY chalicelib chalicelib

RUN useradd --create-home --uid 10001 image-repo \
    && install --directory --mode 0700 --owner image-repo /var/lib/image-repo
USER image-repo
VOLUME /var/lib/image-repo

# Others than this machine can reach it: nobody gets in without a key.
ENV AUTH=keys FILE_STORAGE_LOCATION=/var/lib/image-repo
EXPOSE 8000
CMD ["chalice", "local", "--no-autoreload", "--host", "0.0.0.0", "--port", "8000"]
