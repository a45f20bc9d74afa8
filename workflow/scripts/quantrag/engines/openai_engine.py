"""Any server with an OpenAI-compatible completions endpoint: `vllm serve`, Ray Serve, a gateway.

Where to is in the environment: `OPENAI_BASE_URL` (with `/v1` at its end, as OpenAI's own client has
it; may hold `{model}` and `{precision}`) and `OPENAI_API_KEY`.
"""

import itertools
import logging
import os
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import urlsplit

import httpx

from quantrag.engines.base import (
    Completion,
    Continuation,
    Engine,
    EngineSpec,
    Likelihood,
    Request,
)
from quantrag.errors import UserError

log = logging.getLogger(__name__)

#: Answers of a server that is busy or restarting: worth another try.
_TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504}
#: Longest pause between two tries, in seconds.
_LONGEST_PAUSE = 60.0


class OpenAIEngine(Engine):
    """Keeps `concurrency` requests under way; the server does the batching."""

    preferred_order = "prefix"

    def __init__(self, spec: EngineSpec):
        super().__init__(spec)
        self._client: httpx.Client | None = None
        self._server: dict[str, Any] = {}
        self._model = self._fill_in(spec.options["served_model"])
        self._url = self._fill_in(os.environ.get("OPENAI_BASE_URL", "")).rstrip("/")

    def load(self) -> None:
        if urlsplit(self._url).scheme not in ("http", "https"):
            raise UserError(
                "generation.engine is openai: set the environment variable OPENAI_BASE_URL to the "
                "server's address, such as http://localhost:8000/v1 (it is "
                f"{self._url or 'not set'!r})."
            )
        concurrency = self.spec.options["concurrency"]
        key = os.environ.get("OPENAI_API_KEY")
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(self.spec.options["timeout_s"], connect=10.0),
            limits=httpx.Limits(max_connections=concurrency),
            # A proxy can't reach this machine's own loopback.
            trust_env=urlsplit(self._url).hostname not in ("localhost", "127.0.0.1", "::1"),
        )
        models = self._send("GET", "models", None).get("data", [])
        served = {entry.get("id"): entry for entry in models}
        if self._model not in served:
            raise UserError(
                f"{self._url} does not serve {self._model!r} (generation.openai.served_model), but "
                f"{', '.join(sorted(map(repr, served))) or 'nothing'}. Start the server with "
                f"--served-model-name {self._model}, or name in served_model what it serves."
            )
        limit = served[self._model].get("max_model_len")
        if limit is not None and limit < self.spec.max_model_len:
            raise UserError(
                f"{self._url} takes {limit} tokens, the longest prompt and its answer have "
                f"{self.spec.max_model_len}. Start the server with a larger --max-model-len."
            )
        self._server = {
            key: served[self._model].get(key) for key in ("id", "owned_by", "root", "max_model_len")
        }
        self.scores_continuations = _as_ids(self.spec) and self._gives_prompt_logprobs()

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion | Likelihood]:
        concurrency = self.spec.options["concurrency"]
        work = (job for request in requests for job in self._jobs(request))
        pending: set[Future[Completion | Likelihood]] = set()
        with ThreadPoolExecutor(concurrency) as pool:
            try:
                while True:
                    for job in itertools.islice(work, concurrency - len(pending)):
                        pending.add(pool.submit(*job))
                    if not pending:
                        return
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            finally:
                for future in pending:
                    future.cancel()

    def report(self) -> dict[str, Any]:
        return {"engine": "openai", "server": self._server}

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _fill_in(self, template: str) -> str:
        return template.replace("{model}", self.spec.model).replace(
            "{precision}", self.spec.precision
        )

    def _jobs(self, request: Request) -> Iterator[tuple[Any, ...]]:
        """What one request asks of the server, each as a function and its arguments."""
        if request.answer:
            yield self._answer, request
        for continuation in request.continuations:
            yield self._score, request.token_ids, continuation

    def _answer(self, request: Request) -> Completion:
        sampling = self.spec.sampling
        exact = _as_ids(self.spec)
        body: dict[str, Any] = {
            "model": self._model,
            "prompt": request.token_ids if exact else request.prompt,
            "max_tokens": sampling.max_new_tokens,
            "temperature": 0,
        }
        scored = self.spec.likelihood and self.scores_continuations
        if self.candidates or scored:
            body["logprobs"] = self.candidates
        if scored:
            body["return_token_ids"] = True
        reply = self._send("POST", "completions", body)
        try:
            choice, usage = reply["choices"][0], reply["usage"]
            details = usage.get("prompt_tokens_details") or {}
            completion = Completion(
                key=request.key,
                text=choice["text"],
                finish_reason=choice["finish_reason"],
                prompt_tokens=usage["prompt_tokens"],
                cached_tokens=details.get("cached_tokens"),
                output_tokens=usage["completion_tokens"],
                first_token_logprobs=_first_candidates(choice, self.candidates),
                token_ids=list(choice.get("token_ids") or []) if scored else [],
                logprobs=_token_logprobs(choice) if scored else [],
            )
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise UserError(
                f"{self._url}/completions gave an answer of another form than OpenAI's "
                f"({type(error).__name__}: {error}): {str(reply)[:300]}"
            ) from None
        if exact and completion.prompt_tokens != len(request.token_ids):
            raise UserError(
                f"{self._url}: a prompt of {len(request.token_ids)} tokens was counted as "
                f"{completion.prompt_tokens}: the server changed it. It must take token ids as "
                "they are (vLLM does), or set generation.openai.prompt_as: text."
            )
        return completion

    def _score(self, prompt: list[int], continuation: Continuation) -> Likelihood:
        entries = self._prompt_logprobs(prompt + continuation.token_ids)
        try:
            own = [
                entry[str(token)]
                for entry, token in zip(entries[len(prompt) :], continuation.token_ids, strict=True)
            ]
            return Likelihood(
                key=continuation.key,
                logprobs=[float(entry["logprob"]) for entry in own],
                ranks=[int(entry["rank"]) for entry in own],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"{self._url}/completions gave prompt_logprobs of another form than vLLM's "
                f"({type(error).__name__}: {error})."
            ) from None

    def _prompt_logprobs(self, token_ids: list[int]) -> list[dict[str, Any] | None]:
        """vLLM's answer to `prompt_logprobs`: by position, entries by token id; None for the first.

        Empty where the server doesn't know the parameter and ignores it.
        """
        body = {
            "model": self._model,
            "prompt": token_ids,
            "max_tokens": 1,
            "temperature": 0,
            "prompt_logprobs": 0,
        }
        reply = self._send("POST", "completions", body)
        return reply["choices"][0].get("prompt_logprobs") or []

    def _gives_prompt_logprobs(self) -> bool:
        probe = [self.spec.sampling.stop_token_ids[0]] * 2
        try:
            known = len(self._prompt_logprobs(probe)) == len(probe)
        except UserError as error:
            log.info("%s", error)
            known = False
        if not known:
            log.warning("%s gives no prompt_logprobs: likelihoods are not measured.", self._url)
        return known

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """One request, repeated with growing pauses while the server is unreachable or busy."""
        assert self._client is not None
        url = f"{self._url}/{path}"
        pause = 0.5
        for attempt in itertools.count():
            after = None
            try:
                response = self._client.request(method, url, json=body)
                if response.is_success:
                    return response.json()
                problem = f"status {response.status_code}: {response.text[:300].strip()}"
                if response.status_code not in _TRANSIENT:
                    hint = " Check OPENAI_API_KEY." if response.status_code in (401, 403) else ""
                    raise UserError(f"{url} refused the request, {problem}.{hint}")
                after = response.headers.get("retry-after", "")
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}"
            except ValueError as error:
                raise UserError(f"{url} did not answer in JSON ({error}).") from None
            if attempt >= self.spec.options["retries"]:
                raise UserError(
                    f"{url} can't be reached or doesn't answer after {attempt + 1} tries "
                    f"({problem}). Check OPENAI_BASE_URL and that the server runs."
                )
            seconds = float(after) if after and after.isdigit() else pause
            log.info("%s: %s; trying again in %.1f s.", url, problem, seconds)
            # Spread out, or all requests come back at the same moment.
            time.sleep(min(_LONGEST_PAUSE, seconds * random.uniform(1.0, 1.25)))
            pause *= 2
        raise AssertionError("unreachable")


def _as_ids(spec: EngineSpec) -> bool:
    """Whether prompts are sent as the very tokens that were counted."""
    return spec.options["prompt_as"] == "token_ids"


def _token_logprobs(choice: dict[str, Any]) -> list[float]:
    logprobs = (choice.get("logprobs") or {}).get("token_logprobs") or []
    return [float(logprob) for logprob in logprobs]


def _first_candidates(choice: dict[str, Any], count: int) -> list[tuple[str, float]]:
    logprobs = choice.get("logprobs") or {}
    top = logprobs.get("top_logprobs") or []
    if not top or not top[0]:
        return []
    ranked = sorted(top[0].items(), key=lambda pair: -pair[1])
    return [(token, float(logprob)) for token, logprob in ranked[:count]]
