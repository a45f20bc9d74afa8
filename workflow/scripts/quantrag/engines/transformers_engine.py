"""Hugging Face transformers: slow, simple, and so a reference for the other engines."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import AutoTokenizer, GenerationConfig, LogitsProcessor, LogitsProcessorList

from quantrag.checkpoints.folder import quantization_settings, read_config, validate
from quantrag.checkpoints.loading import load_model
from quantrag.engines.base import (
    Completion,
    Continuation,
    Engine,
    EngineSpec,
    Likelihood,
    Request,
    by_stem,
)
from quantrag.engines.device import check_device
from quantrag.engines.sizing import kv_bytes_per_token
from quantrag.errors import UserError


class TransformersEngine(Engine):
    """Left-padded batches of prompts, in the order given (`length` keeps the padding small)."""

    preferred_order = "length"

    def __init__(self, spec: EngineSpec):
        super().__init__(spec)
        self._model: Any = None
        self._tokenizer: Any = None

    def load(self) -> None:
        spec = self.spec
        check_device(spec)
        if spec.kv_cache_dtype != "auto":
            raise UserError(
                f"precision {spec.precision}: kv_cache_dtype {spec.kv_cache_dtype} needs "
                "generation.engine: vllm; transformers keeps its cache in the model's own type."
            )
        validate(spec.checkpoint, chat_template=False)
        if spec.device == "cpu":
            torch.set_num_threads(spec.threads)
        self._tokenizer = AutoTokenizer.from_pretrained(spec.original, local_files_only=True)
        self._model = load_model(
            spec.checkpoint,
            spec.dtype,
            spec.device,
            quantize=spec.quantize_on_load,
            attention=spec.options["attention"],
        )

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion | Likelihood]:
        waiting = iter(requests)
        size = self.spec.options["batch_size"]
        while batch := list(itertools.islice(waiting, size)):
            if asked := [request for request in batch if request.answer]:
                yield from self._answer(asked)
            readings = [
                (request.token_ids, group)
                for request in batch
                for group in by_stem(request.continuations)
            ]
            for start in range(0, len(readings), size):
                yield from self._score(readings[start : start + size])

    def report(self) -> dict[str, Any]:
        config = read_config(self.spec.checkpoint)
        settings = quantization_settings(config)
        dtype = str(self._model.dtype).removeprefix("torch.")
        return {
            "engine": "transformers",
            "model_dtype": dtype,
            "quantization": self.spec.quantize_on_load or settings.get("quant_method"),
            "architecture": type(self._model).__name__,
            "attention": self._model.config._attn_implementation,
            # Tensors that are shared count once. There is no cache before there are prompts.
            "loaded_weight_bytes": self._model.get_memory_footprint(),
            "cache_bytes_per_token": kv_bytes_per_token(config, dtype),
        }

    def close(self) -> None:
        if self._model is not None:
            self._model = None
            if self.spec.device == "cuda":
                torch.cuda.empty_cache()

    def _answer(self, batch: Sequence[Request]) -> list[Completion]:
        sampling = self.spec.sampling
        ids, mask = _padded([request.token_ids for request in batch])
        rows = self._model.get_input_embeddings().num_embeddings
        if ids.max() >= rows:
            raise UserError(
                f"{self.spec.original}: a prompt has the token {ids.max()}, but the model has only "
                f"{rows} embeddings: its tokenizer isn't the model's."
            )
        width = ids.shape[1]
        recorder = _Recorder()
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=ids.to(self._model.device),
                attention_mask=mask.to(self._model.device),
                # Greedy decoding and nothing else, as every engine here does: `load_model` has
                # emptied the model's own settings, which would fill what is left open here.
                generation_config=GenerationConfig(
                    max_new_tokens=sampling.max_new_tokens,
                    do_sample=False,
                    eos_token_id=list(sampling.stop_token_ids),
                    pad_token_id=sampling.stop_token_ids[0],
                ),
                logits_processor=LogitsProcessorList([recorder] * self.spec.likelihood),
            )
        stops = set(sampling.stop_token_ids)
        completions = []
        for row, request in enumerate(batch):
            answer = output[row, width:].tolist()
            end = next((i for i, token in enumerate(answer) if token in stops), None)
            answer = answer if end is None else answer[: end + 1]
            completions.append(
                Completion(
                    key=request.key,
                    text=self._tokenizer.decode(answer, skip_special_tokens=True),
                    finish_reason="length" if end is None else "stop",
                    prompt_tokens=len(request.token_ids),
                    cached_tokens=0,
                    output_tokens=len(answer),
                    token_ids=answer,
                    logprobs=[float(step[row]) for step in recorder.chosen[: len(answer)]],
                )
            )
        return completions

    def _score(self, readings: Sequence[tuple[list[int], list[Continuation]]]) -> list[Likelihood]:
        """Likelihoods of continuations of one stem each, read after their prompt."""
        stems = [group[0].stem for _, group in readings]
        ids, mask = _padded(
            [prompt + stem for (prompt, _), stem in zip(readings, stems, strict=True)]
        )
        device = self._model.device
        with torch.inference_mode():
            output = self._model(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                position_ids=(mask.cumsum(1) - 1).clamp_min(0).to(device),
                logits_to_keep=max(map(len, stems)) + 1,
                use_cache=False,
            )
        # The position before each token predicts it.
        logprobs = output.logits.float().log_softmax(-1).cpu()
        likelihoods = []
        for row, (_, group) in enumerate(readings):
            for continuation in group:
                tokens = torch.tensor(continuation.token_ids)
                own = logprobs[row, -len(tokens) :]
                of_tokens = own.gather(1, tokens[:, None])
                likelihoods.append(
                    Likelihood(
                        key=continuation.key,
                        logprobs=of_tokens[:, 0].tolist(),
                        top=(of_tokens[:, 0] >= own.amax(1)).tolist(),
                    )
                )
        return likelihoods


def _padded(sequences: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids with padding on the left, int64 (sequences, longest), and which of them are real.

    The padding's content is masked; its id must only exist.
    """
    width = max(map(len, sequences))
    ids = torch.zeros(len(sequences), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, tokens in enumerate(sequences):
        ids[row, width - len(tokens) :] = torch.tensor(tokens)
        mask[row, width - len(tokens) :] = 1
    return ids, mask


class _Recorder(LogitsProcessor):
    """Records the log-probabilities of the chosen tokens; changes nothing."""

    def __init__(self) -> None:
        self.chosen: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        # Greedy decoding takes the most likely token.
        self.chosen.append(scores.float().log_softmax(-1).amax(-1).cpu())
        return scores
