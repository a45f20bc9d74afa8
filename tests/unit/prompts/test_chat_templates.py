"""Chat formats: system roles, special tokens, dates."""

import json
import logging

import pytest

import prompt_tokenizers
from quantrag.errors import UserError
from quantrag.prompts.chat_templates import ChatFormat, load_tokenizer


@pytest.fixture(scope="module")
def llama_2():
    return prompt_tokenizers.llama_2()


def with_template(tokenizer, template):
    tokenizer.chat_template = template
    return tokenizer


def test_a_system_role_is_kept(llama_2):
    chat = ChatFormat(llama_2)
    assert not chat.folds
    assert chat.render("Be brief.", "Hi") == "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST]"
    assert chat.render("", "Hi") == "<s>[INST] <<SYS>>\n\n<</SYS>>\n\nHi [/INST]"
    assert chat.render(None, "Hi") == "<s>[INST] Hi [/INST]"


@pytest.mark.parametrize(
    ("template", "verb"),
    [
        (prompt_tokenizers.MISTRAL_TEMPLATE, "refuses"),
        (prompt_tokenizers.DEAF_TEMPLATE, "ignores"),
    ],
)
def test_a_template_without_system_role_gets_it_in_the_user_turn(template, verb, caplog):
    tokenizer = with_template(prompt_tokenizers.mistral(), template)
    with caplog.at_level(logging.INFO):
        chat = ChatFormat(tokenizer, name="tiny")
        texts = [chat.render("Be brief.", "Hi") for _ in range(3)]
    assert all("Be brief.\nHi" in text for text in texts)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 1
    assert f"tiny: its chat template {verb} a system message" in messages[0]
    with pytest.raises(UserError, match=rf"models.tiny.system_role: keep.* {verb}"):
        ChatFormat(tokenizer, system_role="keep", name="tiny")


def test_folding_can_be_asked_for(llama_2):
    chat = ChatFormat(llama_2, system_role="fold")
    assert chat.render("Be brief.", "Hi") == "<s>[INST] Be brief.\nHi [/INST]"


def test_beginning_of_text_stands_once(llama_2):
    for chat, n in ((ChatFormat(llama_2), 1), (ChatFormat(llama_2, chat_template="none"), 1)):
        text = chat.render(None, "Hi")
        ids = llama_2(text, add_special_tokens=chat.add_special_tokens)["input_ids"]
        assert ids.count(llama_2.bos_token_id) == n
        assert ids[0] == llama_2.bos_token_id


def test_plain_text_for_base_models():
    tokenizer = with_template(prompt_tokenizers.llama_2(), None)
    chat = ChatFormat(tokenizer, chat_template="none")
    assert chat.render("Be brief.", "Hi") == "Be brief.\nHi"
    assert chat.render("", "Hi") == chat.render(None, "Hi") == "Hi"
    with pytest.raises(UserError, match=r"models\.base: its tokenizer has no chat template"):
        ChatFormat(tokenizer, name="base")


@pytest.mark.parametrize(
    "template",
    ["{{ strftime_now('%Y-%m-%d') }} ", "{{ date_string if date_string is defined else 1/0 }} "],
)
def test_the_date_never_changes(template):
    body = "{{ messages[0]['content'] }}"
    chat = ChatFormat(with_template(prompt_tokenizers.llama_2(), template + body))
    assert chat.render(None, "Hi") in ("2024-07-26 Hi", "26 Jul 2024 Hi")


def test_a_folder_without_tokenizer_is_one_line(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        load_tokenizer(tmp_path / "missing")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="no tokenizer can be loaded") as error:
        load_tokenizer(tmp_path)
    assert "\n" not in str(error.value)


def test_a_saved_tokenizer_loads(tmp_path, llama_2):
    llama_2.save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path).chat_template == prompt_tokenizers.LLAMA_2_TEMPLATE


PLAIN = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for m in messages %}{{ m['content'] ", "TemplateSyntaxError"),
        ("{% for m in messages %}\n{{ m.content }}\n", "line 2"),
        ("{{ raise_exception('needs tools') if not tools }}" + PLAIN, "needs tools"),
        ("{{ tools | length }}" + PLAIN, "fails for user messages"),
        ("{{ format_date(messages) }}" + PLAIN, "'format_date' is undefined"),
        ("{% include 'other.jinja' %}", "fails for user messages"),
        ("{{ messages[0]['content'][0]['text'] + 1 }}", "fails for user messages"),
        ("{{ messages[5]['content'] }}", "fails for user messages"),
    ],
)
def test_a_template_that_fails_is_one_clear_error(template, words):
    tokenizer = with_template(prompt_tokenizers.llama_2(), template)
    with pytest.raises(UserError, match=r"models\.tiny: its chat template \(") as raised:
        ChatFormat(tokenizer, name="tiny")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert ChatFormat(tokenizer, chat_template="none").render(None, "Hi") == "Hi"


def test_the_file_of_a_failing_template_is_named(tmp_path):
    with_template(prompt_tokenizers.llama_2(), "{{ nothing() }}").save_pretrained(tmp_path)
    with pytest.raises(UserError, match=rf"{tmp_path}/chat_template\.jinja"):
        ChatFormat(load_tokenizer(tmp_path))


def test_a_template_that_refuses_an_empty_system_message_gets_none():
    refuses = "{{ raise_exception('empty') if not messages[0]['content'] }}"
    chat = ChatFormat(with_template(prompt_tokenizers.llama_2(), refuses + PLAIN))
    assert chat.render("Be brief.", "Hi") == "system: Be brief.\nuser: Hi\n"
    assert chat.render("", "Hi") == "user: Hi\n"


def test_a_template_may_need_a_system_message():
    needs = "{{ raise_exception('no system') if messages[0]['role'] != 'system' }}"
    chat = ChatFormat(with_template(prompt_tokenizers.llama_2(), needs + PLAIN))
    assert chat.render("Be brief.", "Hi") == "system: Be brief.\nuser: Hi\n"


def test_of_several_templates_the_default_one_is_taken():
    tokenizer = prompt_tokenizers.llama_2()
    tokenizer.chat_template = {"tool_use": "{{ tools[0] }}", "default": PLAIN}
    assert ChatFormat(tokenizer).render(None, "Hi") == "user: Hi\n"
    tokenizer.chat_template = {"chat": PLAIN}
    assert ChatFormat(tokenizer).render(None, "Hi") == "user: Hi\n"
    tokenizer.chat_template = {"rag": PLAIN, "tool_use": PLAIN}
    with pytest.raises(UserError, match=r"2 chat templates \(rag, tool_use\) and none named"):
        ChatFormat(tokenizer)


def test_a_template_beside_an_image_processor_is_found(tmp_path):
    with_template(prompt_tokenizers.llama_2(), None).save_pretrained(tmp_path)
    (tmp_path / "chat_template.json").write_text(json.dumps({"chat_template": PLAIN}))
    assert ChatFormat(load_tokenizer(tmp_path)).render(None, "Hi") == "user: Hi\n"


def test_a_damaged_tokenizer_is_one_clear_error(tmp_path):
    prompt_tokenizers.llama_2().save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"model": "none"}')
    with pytest.raises(UserError, match="no tokenizer can be loaded") as raised:
        load_tokenizer(tmp_path)
    assert "\n" not in str(raised.value)


def test_an_added_token_without_an_embedding_is_read_as_words(tmp_path, caplog):
    tokenizer = prompt_tokenizers.llama_2()
    rows = len(tokenizer)
    tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    tokenizer.save_pretrained(tmp_path)
    text = "pad with [PAD] up to </s>"
    assert rows in load_tokenizer(tmp_path)(text)["input_ids"]
    loaded = load_tokenizer(tmp_path, embeddings=rows)
    ids = loaded(text, add_special_tokens=False)["input_ids"]
    assert max(ids) < rows
    assert ids[-1] == loaded.eos_token_id
    assert "1 added tokens have no embedding ([PAD])" in caplog.text
    assert load_tokenizer(tmp_path, embeddings=rows + 1)(text)["input_ids"].count(rows) == 1
