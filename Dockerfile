# The paper's workflow with all its environments: Snakemake and, made in advance, those of envs/.
#
#   docker build --tag quantrag --build-arg COMMIT="$(git rev-parse HEAD)" .
#   docker run --gpus all --ipc=host --env HF_TOKEN \
#       --volume "$PWD/resources:/quantrag/resources" --volume "$PWD/results:/quantrag/results" \
#       --volume "$PWD/logs:/quantrag/logs" quantrag --cores all
#
# Some 25 GB, most of it PyTorch for CUDA, once per environment that computes with it. The machine
# needs NVIDIA's driver and container toolkit; CUDA itself comes with the packages.
FROM condaforge/miniforge3:25.3.1-0

# Snakemake apart from what the stages need: scripts see its packages too, so it has few.
COPY envs/launcher.yaml /tmp/launcher.yaml
RUN conda env create --prefix /opt/launcher --file /tmp/launcher.yaml \
    && conda clean --all --yes \
    && rm -rf /root/.cache /tmp/launcher.yaml
ENV PATH=/opt/launcher/bin:$PATH

WORKDIR /quantrag

# The environments depend only on envs/, but Snakemake reads the rules to find them. The same prefix
# when it runs, or it would look for them elsewhere.
ENV SNAKEMAKE_CONDA_PREFIX=/opt/environments
COPY Snakefile ./
COPY config config/
COPY envs envs/
COPY profiles profiles/
COPY workflow workflow/
RUN snakemake --cores 1 --sdm conda --conda-create-envs-only \
    && conda clean --all --yes \
    && rm -rf /root/.cache .snakemake

# Goes into every result's provenance; last, because it changes with every commit.
ARG COMMIT=""
ENV QUANTRAG_COMMIT=$COMMIT
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility
ENTRYPOINT ["snakemake", "--sdm", "conda"]
