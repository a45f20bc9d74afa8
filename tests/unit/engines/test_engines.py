"""The engines behind their one interface; vLLM itself runs in tests/e2e/test_engines_agree.py."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from generation_samples import END, make_job, prompt_tokens, run, settings, tiny_checkpoint
from quantrag.engines import select, sizing, vllm_engine
from quantrag.engines.base import EngineSpec, Request, Sampling
from quantrag.errors import UserError
from quantrag.tables import read_table


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


def make_spec(checkpoint, engine: str, **changes) -> EngineSpec:
    spec = EngineSpec(
        model="tiny",
        precision="fp32",
        checkpoint=checkpoint,
        tokenizer=checkpoint,
        dtype="float32",
        kv_cache_dtype="auto",
        device="cpu",
        sampling=Sampling(12, 5, (END,)),
        max_model_len=300,
        threads=2,
        options=settings()[engine],
    )
    return replace(spec, **changes)


def requests(count: int = 5) -> list[Request]:
    ids = [prompt_tokens("LaMP-3U", query, str(query % 4)) for query in range(count)]
    return [Request(f"r{i}", x, " ".join(f"w{t}" for t in x)) for i, x in enumerate(ids)]


def answers(engine, asked):
    engine.load()
    try:
        return {completion.key: completion for completion in engine.generate(asked)}
    finally:
        engine.close()


class TestTransformers:
    def make(self, checkpoint, batch_size=8, **changes):
        from quantrag.engines.transformers_engine import TransformersEngine

        options = {"batch_size": batch_size, "attention": "sdpa"}
        return TransformersEngine(make_spec(checkpoint, "transformers", options=options, **changes))

    def test_a_padded_batch_answers_like_single_prompts(self, checkpoint):
        batch = answers(self.make(checkpoint), requests())
        single = answers(self.make(checkpoint, batch_size=1), requests())
        assert {k: c.text for k, c in batch.items()} == {k: c.text for k, c in single.items()}
        assert len({completion.text for completion in batch.values()}) > 1
        for key, completion in batch.items():
            tokens, logprobs = zip(*completion.first_token_logprobs, strict=True)
            assert len(tokens) == 5
            assert list(logprobs) == sorted(logprobs, reverse=True)
            assert completion.text.split()[0] == tokens[0]
            expected = [logprob for _, logprob in single[key].first_token_logprobs]
            assert logprobs == pytest.approx(expected, abs=1e-4)

    def test_an_answer_ends_at_a_stop_token(self, checkpoint):
        asked = requests(1)
        whole = answers(self.make(checkpoint), asked)["r0"]
        assert (whole.finish_reason, whole.output_tokens) == ("length", 12)
        third = int(whole.text.split()[2].removeprefix("w"))
        sampling = Sampling(12, 0, (END, third))
        short = answers(self.make(checkpoint, sampling=sampling), asked)["r0"]
        assert short.finish_reason == "stop"
        assert short.output_tokens <= 3
        assert short.first_token_logprobs == []

    def test_a_whole_job(self, checkpoint, tmp_path):
        job = make_job(checkpoint, settings=settings(engine="transformers", max_new_tokens=4))
        cells = run(tmp_path, ["0", "1"], job=job)
        assert set(read_table(cells[0]).output_tokens) <= {1, 2, 3, 4}
        costs = json.loads((tmp_path / "costs/fp32.json").read_text())
        assert costs["engine"] == "transformers"
        report = costs["provenance"]["engine_reports"][0]
        assert report["model_dtype"] == "float32"
        assert report["quantization"] is None

    def test_a_damaged_checkpoint_is_one_clear_error(self, checkpoint, tmp_path):
        folder = tmp_path / "cut"
        folder.mkdir()
        for path in checkpoint.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
        with pytest.raises(UserError, match="cut off"):
            self.make(folder).load()

    def test_an_unknown_architecture_is_one_clear_error(self, checkpoint, tmp_path):
        folder = tmp_path / "odd"
        folder.mkdir()
        for path in checkpoint.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / "config.json").write_text('{"model_type": "unheard-of", "eos_token_id": 2}')
        with pytest.raises(UserError, match=r"could not load .*odd"):
            self.make(folder).load()

    def test_a_kv_cache_type_is_refused(self, checkpoint):
        with pytest.raises(UserError, match="kv_cache_dtype fp8 needs"):
            self.make(checkpoint, kv_cache_dtype="fp8").load()

    def test_no_gpu_is_one_clear_error(self, checkpoint, monkeypatch):
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        with pytest.raises(UserError, match=r"generation\.device is cuda"):
            self.make(checkpoint, device="cuda").load()


class Server:
    """A stand-in for an OpenAI-compatible server: gives the answers it is told to give."""

    def __init__(self, model="tiny-fp32", script=()):
        self.bodies: list[dict] = []
        self.script = list(script)
        self.keys: set[str | None] = set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.reply(200, {"data": [{"id": model, "max_model_len": 400}]})

            def do_POST(self):
                server.keys.add(self.headers["Authorization"])
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.bodies.append(body)
                if server.script:
                    self.reply(*server.script.pop(0))
                    return
                tokens = len(body["prompt"])
                self.reply(
                    200,
                    {
                        "choices": [
                            {
                                "text": f"text {tokens}",
                                "finish_reason": "length",
                                "logprobs": {"top_logprobs": [{"a": -2.0, "b": -0.5}]},
                            }
                        ],
                        "usage": {"prompt_tokens": tokens, "completion_tokens": 3},
                    },
                )

            def reply(self, status, content):
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def serve(monkeypatch):
    servers = []

    def start(*arguments, **options) -> Server:
        servers.append(Server(*arguments, **options))
        monkeypatch.setenv("OPENAI_BASE_URL", servers[-1].url)
        return servers[-1]

    monkeypatch.setattr("quantrag.engines.openai_engine.time.sleep", lambda seconds: None)
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


class TestOpenAI:
    def make(self, tmp_path, **options):
        from quantrag.engines.openai_engine import OpenAIEngine

        chosen = settings(openai={"retries": 2, **options})["openai"]
        return OpenAIEngine(make_spec(tmp_path, "openai", options=chosen))

    def test_answers(self, serve, tmp_path):
        server = serve()
        got = answers(self.make(tmp_path, concurrency=3), requests(20))
        assert len(got) == len(server.bodies) == 20
        completion = got["r1"]
        tokens = len(requests(2)[1].token_ids)
        assert (completion.text, completion.prompt_tokens) == (f"text {tokens}", tokens)
        assert completion.cached_tokens is None
        assert completion.first_token_logprobs == [("b", -0.5), ("a", -2.0)]
        assert server.bodies[0]["temperature"] == 0
        assert server.keys == {"Bearer secret"}

    def test_text_instead_of_token_ids(self, serve, tmp_path):
        server = serve()
        answers(self.make(tmp_path, prompt_as="text"), requests(1))
        assert server.bodies[0]["prompt"].startswith("w1 w3 ")

    def test_a_busy_server_is_asked_again(self, serve, tmp_path):
        server = serve(script=[(503, {}), (429, {})])
        assert len(answers(self.make(tmp_path, concurrency=1), requests(2))) == 2
        assert len(server.bodies) == 4

    def test_a_server_that_stays_busy_is_one_clear_error(self, serve, tmp_path):
        serve(script=[(503, b"overloaded")] * 3)
        with pytest.raises(UserError, match=r"after 3 tries .*503: overloaded"):
            answers(self.make(tmp_path), requests(1))

    def test_a_wrong_key_is_one_clear_error(self, serve, tmp_path):
        server = serve(script=[(401, b"no such key")] * 3)
        with pytest.raises(UserError, match=r"no such key.*OPENAI_API_KEY"):
            answers(self.make(tmp_path), requests(1))
        assert len(server.bodies) == 1

    def test_another_model_is_refused(self, serve, tmp_path):
        serve(model="llama")
        with pytest.raises(UserError, match=r"does not serve 'tiny-fp32'.* but 'llama'"):
            answers(self.make(tmp_path), requests(1))

    def test_a_served_name_may_hold_the_precision(self, serve, tmp_path):
        serve(model="q/fp32")
        assert answers(self.make(tmp_path, served_model="q/{precision}"), requests(1))

    def test_an_answer_of_another_form_is_one_clear_error(self, serve, tmp_path):
        serve(script=[(200, {"message": "hello"})])
        with pytest.raises(UserError, match="another form than OpenAI's"):
            answers(self.make(tmp_path), requests(1))

    def test_html_is_one_clear_error(self, serve, tmp_path):
        serve(script=[(200, b"<html>")])
        with pytest.raises(UserError, match="did not answer in JSON"):
            answers(self.make(tmp_path), requests(1))

    def test_a_changed_prompt_is_noticed(self, serve, tmp_path):
        usage = {"prompt_tokens": 1, "completion_tokens": 1}
        choice = {"text": "x", "finish_reason": "stop"}
        serve(script=[(200, {"choices": [choice], "usage": usage})])
        with pytest.raises(UserError, match="the server changed it"):
            answers(self.make(tmp_path), requests(1))

    def test_a_server_that_takes_less_is_refused(self, serve, tmp_path):
        serve()
        engine = self.make(tmp_path)
        engine.spec = replace(engine.spec, max_model_len=500)
        with pytest.raises(UserError, match="takes 400 tokens"):
            engine.load()

    def test_an_unreachable_server_is_one_clear_error(self, serve, tmp_path, monkeypatch):
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        with pytest.raises(UserError, match=r"127\.0\.0\.1:9/v1/models can't be reached"):
            self.make(tmp_path).load()

    def test_no_address_is_one_clear_error(self, tmp_path, monkeypatch):
        monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
        with pytest.raises(UserError, match="OPENAI_BASE_URL"):
            self.make(tmp_path).load()


class TestVllm:
    def test_arguments(self, checkpoint):
        arguments = vllm_engine.engine_arguments(
            make_spec(
                checkpoint,
                "vllm",
                options=settings(vllm={"max_num_seqs": 7, "extra": {"a": 1}})["vllm"],
            ),
            checkpoint,
        )
        assert arguments["max_model_len"] == 300
        assert arguments["kv_cache_memory_bytes"] == 2 * 2**30
        assert arguments["max_num_seqs"] == 7
        assert arguments["a"] == 1
        assert arguments["trust_remote_code"] is False
        assert "max_num_batched_tokens" not in arguments
        assert "gpu_memory_utilization" not in arguments

    def test_too_little_memory_is_said_before_anything_is_loaded(self, checkpoint):
        options = settings(vllm={"kv_cache_gib": 100_000})["vllm"]
        engine = vllm_engine.VllmEngine(make_spec(checkpoint, "vllm", options=options))
        with pytest.raises(UserError, match=r"kv_cache_gib.* are free"):
            engine.load()

    def test_a_prompt_larger_than_the_cache_is_said_before_anything_is_loaded(self, checkpoint):
        options = settings(vllm={"kv_cache_gib": 1e-4})["vllm"]
        engine = vllm_engine.VllmEngine(make_spec(checkpoint, "vllm", options=options))
        with pytest.raises(UserError, match=r"kv_cache_gib.*What would fit: a max_model_len of"):
            engine.load()

    def test_the_root_of_a_chain_of_errors_is_named(self):
        error = RuntimeError("engine core failed")
        error.__cause__ = ValueError("the true cause\nand more")
        assert vllm_engine._root_cause(error) == "ValueError: the true cause"


class TestSelection:
    def test_a_missing_engine_is_one_clear_error(self, monkeypatch):
        monkeypatch.setitem(select.DISTRIBUTIONS, "vllm", ("no-such-package",))
        with pytest.raises(UserError, match="'vllm' is not installed"):
            select.engine_version("vllm")

    def test_versions_are_found_without_importing(self, root):
        code = "import sys; from quantrag.engines import select; select.engine_version('vllm'); "
        code += "print('vllm' in sys.modules)"
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(root / "workflow/scripts")},
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout.strip() == "False"

    def test_options_without_effect_exist(self):
        for name, options in select.WITHOUT_EFFECT_ON_ANSWERS.items():
            assert options <= set(settings()[name])


LLAMA_7B = {
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "hidden_size": 4096,
}
WEIGHTS = int(13.5e9)


class TestSizing:
    def test_bytes_per_token(self):
        # Llama-2-7B in 16 bits: half a MiB a token.
        assert sizing.kv_bytes_per_token(LLAMA_7B, "float16") == 2**19
        assert sizing.kv_bytes_per_token(LLAMA_7B, "fp8_e4m3") == 2**18
        assert sizing.kv_bytes_per_token({"text_config": LLAMA_7B}, "float32") == 2**20
        assert sizing.kv_bytes_per_token({"n_layer": 2}, "float16") is None

    def test_what_fits_passes(self):
        sizing.check_fit(LLAMA_7B, WEIGHTS, 4096, "float16", 24 * 2**30)

    def test_an_unknown_architecture_is_left_to_the_engine(self):
        sizing.check_fit({"n_layer": 2}, WEIGHTS, 4096, "float16", 1)

    def test_a_shorter_context_more_gpus_or_fewer_bits_are_named(self):
        with pytest.raises(UserError) as caught:
            sizing.check_fit(LLAMA_7B, WEIGHTS, 8192, "float16", 16 * 2**30)
        message = str(caught.value)
        assert "12.6 GiB of weights and 4.0 GiB of key-value cache for 8192 tokens" in message
        assert "a max_model_len of at most 4970" in message
        assert "a tensor_parallel_size of 2" in message
        assert "a precision of 8 bits" in message

    def test_weights_alone_too_large(self):
        with pytest.raises(UserError) as caught:
            sizing.check_fit(LLAMA_7B, WEIGHTS, 4096, "float16", 8 * 2**30)
        assert "max_model_len of" not in str(caught.value)
        assert "tensor_parallel_size of 4" in str(caught.value)

    def test_a_quantized_checkpoint_gets_no_advice_to_quantize_to_the_same(self):
        config = {**LLAMA_7B, "quantization_config": {"bits": 4}}
        with pytest.raises(UserError) as caught:
            sizing.check_fit(config, int(4e9), 8192, "float16", 4 * 2**30)
        assert "precision of" not in str(caught.value)
