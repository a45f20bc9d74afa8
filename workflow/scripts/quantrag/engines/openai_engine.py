"""Any server with an OpenAI-compatible completions endpoint: `vllm serve`, Ray Serve, a gateway.

Where to is in the environment: `OPENAI_BASE_URL` (with `/v1` at its end, as OpenAI's own client has
it; may hold `{model}` and `{precision}`) and `OPENAI_API_KEY`.
"""

import itertools
import logging
import random
import time
from collections.abc import Iterator, Mapping, Sequence
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
from quantrag.runtime.credentials import address, redact, secret

log = logging.getLogger(__name__)

#: Answers of a server that is busy or restarting: worth another try.
_TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504}
#: What reading an answer of another form than OpenAI's or vLLM's raises.
_OTHER_FORM = (KeyError, IndexError, TypeError, ValueError, AttributeError)
#: Longest pause between two tries, in seconds.
_LONGEST_PAUSE = 60.0


class OpenAIEngine(Engine):
    """Keeps `concurrency` requests under way; the server does the batching."""

    def __init__(self, spec: EngineSpec):
        super().__init__(spec)
        self._client: httpx.Client | None = None
        self._server: dict[str, Any] = {}
        self._model = self._fill_in(spec.options["served_model"])
        self._url = self._fill_in(address("OPENAI_BASE_URL")).rstrip("/")
        # As messages and records name it: an address may hold a password.
        self._name = redact(self._url)
        # Fields beside OpenAI's own, for servers that know them.
        self._more: dict[str, Any] = {}
        self._warned = False

    def load(self) -> None:
        try:
            parts = urlsplit(self._url)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
            raise UserError(
                "generation.engine is openai: set the environment variable OPENAI_BASE_URL to the "
                "server's address, such as http://localhost:8000/v1 (it is "
                f"{self._name or 'not set'!r})."
            )
        concurrency = self.spec.options["concurrency"]
        key = secret("OPENAI_API_KEY")
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(self.spec.options["timeout_s"], connect=10.0),
            limits=httpx.Limits(max_connections=concurrency),
            # A proxy can't reach this machine's own loopback.
            trust_env=urlsplit(self._url).hostname not in ("localhost", "127.0.0.1", "::1"),
        )
        reply = self._send("GET", "models", None)
        try:
            served = {entry["id"]: entry for entry in reply["data"]}
        except (KeyError, TypeError):
            raise UserError(
                f"{self._name}/models gave an answer of another form than OpenAI's: "
                f"{redact(str(reply)[:300])}"
            ) from None
        if self._model not in served:
            raise UserError(
                f"{self._name} does not serve {self._model!r} (generation.openai.served_model), "
                f"but {', '.join(sorted(map(repr, served))) or 'nothing'}. Start the server with "
                f"--served-model-name {self._model}, or name in served_model what it serves."
            )
        limit = served[self._model].get("max_model_len")
        if limit is not None and limit < self.spec.max_model_len:
            raise UserError(
                f"{self._name} takes {limit} tokens, the longest prompt and its answer have "
                f"{self.spec.max_model_len}. Start the server with a larger --max-model-len."
            )
        self._server = {
            key: served[self._model].get(key) for key in ("id", "owned_by", "root", "max_model_len")
        }
        if self._server["owned_by"] == "vllm":
            # Unless told so, `vllm serve` takes what a request leaves open from the checkpoint's
            # generation_config.json, and each precision's may say something else.
            self._more = {
                "repetition_penalty": 1.0,
                "min_p": 0.0,
                "top_k": 0,
                "ignore_eos": True,
                "stop_token_ids": list(self.spec.sampling.stop_token_ids),
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
        completion = self._complete(request, self._more)
        expected = len(request.token_ids)
        if completion.prompt_tokens == expected:
            return completion
        if self.spec.options["prompt_as"] == "token_ids":
            raise UserError(
                f"{self._name}: a prompt of {expected} tokens was counted as "
                f"{completion.prompt_tokens}: the server changed it. It must take token ids as "
                "they are (vLLM does), or set generation.openai.prompt_as: text."
            )
        if completion.prompt_tokens > expected and "add_special_tokens" not in self._more:
            # A chat template has written BOS already, and the server put another one before it.
            more = self._more | {"add_special_tokens": False}
            try:
                plain = self._complete(request, more)
            except UserError as error:
                log.info("%s knows no add_special_tokens: %s", self._name, error)
            else:
                if plain.prompt_tokens == expected:
                    self._more = more
                    return plain
        if not self._warned:
            self._warned = True
            log.warning(
                "%s counts %d tokens in a prompt of %d: it adds special tokens of its own (a "
                "second BOS?) or has another tokenizer, so it answers other prompts than planned. "
                "prompt_as: token_ids avoids it. (Said once.)",
                self._name,
                completion.prompt_tokens,
                expected,
            )
        return completion

    def _complete(self, request: Request, more: Mapping[str, Any]) -> Completion:
        sampling = self.spec.sampling
        exact = _as_ids(self.spec)
        body: dict[str, Any] = {
            "model": self._model,
            "prompt": request.token_ids if exact else request.prompt,
            "max_tokens": sampling.max_new_tokens,
            "temperature": 0,
            **more,
        }
        scored = self.spec.likelihood and self.scores_continuations
        if scored:
            # With 0, those of the tokens that were chosen.
            body |= {"logprobs": 0, "return_token_ids": True}
        reply = self._send("POST", "completions", body)
        try:
            choice, usage = reply["choices"][0], reply["usage"]
            details = usage.get("prompt_tokens_details") or {}
            if not isinstance(choice["text"], str):
                raise TypeError("its text is not a string")
            return Completion(
                key=request.key,
                text=choice["text"],
                finish_reason=choice["finish_reason"],
                prompt_tokens=int(usage["prompt_tokens"]),
                cached_tokens=details.get("cached_tokens"),
                output_tokens=int(usage["completion_tokens"]),
                token_ids=list(choice.get("token_ids") or []) if scored else [],
                logprobs=_token_logprobs(choice) if scored else [],
            )
        except _OTHER_FORM as error:
            raise UserError(
                f"{self._name}/completions gave an answer of another form than OpenAI's "
                f"({type(error).__name__}: {error}): {redact(str(reply)[:300])}"
            ) from None

    def _score(self, prompt: list[int], continuation: Continuation) -> Likelihood:
        try:
            entries = self._prompt_logprobs(prompt + continuation.token_ids)
            logprobs, best = [], []
            for entry, token in zip(entries[len(prompt) :], continuation.token_ids, strict=True):
                logprobs.append(float(entry[str(token)]["logprob"]))
                best.append(max(float(candidate["logprob"]) for candidate in entry.values()))
            top = [own >= most for own, most in zip(logprobs, best, strict=True)]
            return Likelihood(continuation.key, logprobs, top)
        except _OTHER_FORM as error:
            raise UserError(
                f"{self._name}/completions gave prompt_logprobs of another form than vLLM's "
                f"({type(error).__name__}: {error})."
            ) from None

    def _prompt_logprobs(self, token_ids: list[int]) -> list[dict[str, Any] | None]:
        """vLLM's answer to `prompt_logprobs`: by position, entries by token id; None for the first.

        Each position has its own token and the most likely one. Empty where the server doesn't know
        the parameter and ignores it.
        """
        body = {
            "model": self._model,
            "prompt": token_ids,
            "max_tokens": 1,
            "temperature": 0,
            "prompt_logprobs": 1,
        }
        reply = self._send("POST", "completions", body)
        return reply["choices"][0].get("prompt_logprobs") or []

    def _gives_prompt_logprobs(self) -> bool:
        probe = [self.spec.sampling.stop_token_ids[0]] * 2
        try:
            known = len(self._prompt_logprobs(probe)) == len(probe)
        except (UserError, *_OTHER_FORM) as error:
            log.info("%s: %s", type(error).__name__, error)
            known = False
        if not known:
            log.warning("%s gives no prompt_logprobs: likelihoods are not measured.", self._name)
        return known

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        """One request, repeated with growing pauses while the server is unreachable or busy.

        Raises:
            UserError: it failed. No message holds the key: a proxy may repeat a request's headers
                in its answer, and a library in its exception.
        """
        assert self._client is not None
        url, name = f"{self._url}/{path}", f"{self._name}/{path}"
        pause = 0.5
        for attempt in itertools.count():
            after = None
            try:
                response = self._client.request(method, url, json=body)
                if response.is_success:
                    return response.json()
                text = " ".join(redact(response.text).split())[:300]
                problem = f"status {response.status_code}: {text}"
                if response.status_code not in _TRANSIENT:
                    hint = " Check OPENAI_API_KEY." if response.status_code in (401, 403) else ""
                    raise UserError(f"{name} refused the request, {problem}.{hint}")
                after = response.headers.get("retry-after", "")
            except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
                raise UserError(
                    f"{name}: no such request can be sent ({type(error).__name__}). Check "
                    "OPENAI_BASE_URL and OPENAI_API_KEY."
                ) from None
            except httpx.RequestError as error:
                problem = redact(f"{type(error).__name__}: {error}")
            except ValueError as error:
                raise UserError(f"{name} did not answer in JSON ({redact(str(error))}).") from None
            if attempt >= self.spec.options["retries"]:
                raise UserError(
                    f"{name} can't be reached or doesn't answer after {attempt + 1} tries "
                    f"({problem}). Check OPENAI_BASE_URL and that the server runs."
                )
            seconds = float(after) if after and after.isdecimal() else pause
            log.info("%s: %s; trying again in %.1f s.", name, problem, seconds)
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
