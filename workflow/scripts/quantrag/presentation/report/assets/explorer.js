// The explorer: one query's prompt and its answers at every precision. Text only ever becomes text.
function explore() {
  const grid = JSON.parse(document.getElementById("explorer-grid").textContent);
  const sources = [...document.querySelectorAll(".explorer-data")];
  const loaded = new Map();
  const form = document.getElementById("explorer-controls");
  const list = document.getElementById("explorer-list");
  const detail = document.getElementById("explorer-query");
  const field = form.elements;
  let shown = [], current = null;

  // A task is read when it is first chosen.
  function task() {
    const number = Number(field.task.value);
    if (!loaded.has(number)) loaded.set(number, JSON.parse(sources[number].textContent));
    return loaded.get(number);
  }

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function fill(select, entries) {
    select.replaceChildren(...entries.map(([value, text]) => make("option", {value, textContent: text})));
    select.closest("label").hidden = entries.length < 2;
  }

  fill(field.task, grid.tasks.map((name, i) => [i, name]));
  fill(field.model, grid.models.map((name, i) => [i, name]));
  fill(field.k, grid.ks.map(k => [k.key, k.label]));
  fill(field.retriever, grid.retrievers.map(r => [r.key, r.label]));
  fill(field.precision, grid.precisions.slice(1).map((name, i) => [i + 1, name]));
  const last = grid.ks[grid.ks.length - 1];
  field.k.value = (grid.ks.find(k => k.key !== "0") || last).key;

  function cell() {
    const retriever = field.k.value === "0" ? "none" : field.retriever.value;
    return grid.cells.findIndex(([r, k]) => r === retriever && k === field.k.value);
  }

  function run(query) {
    const [prompt, answers] = query.runs[Number(field.model.value)][cell()];
    return {prompt, answers};
  }

  const compared = () => Number(field.precision.value || 0);

  // How much better (positive) or worse an answer is than the baseline's, by the first measure.
  function gain(query) {
    const {answers} = run(query);
    const [now, before] = [answers[compared()][3], answers[0][3]];
    if (now === null || before === null || now === undefined) return 0;
    return (now - before) * (task().measures[0].higher ? 1 : -1);
  }

  const changed = query => run(query).answers[compared()][1] === 1;
  const text = number => task().pieces[number];
  const promptText = prompt => prompt[0].map(text).join("");

  // Of a shared corpus: where the evidence stands in the prompt, as in the scores.
  function place(query) {
    if (!task().passages || !query.evidence.length) return "";
    const documents = run(query).prompt[2];
    const position = documents.findIndex(document => query.evidence.includes(document));
    return position < 0 ? "absent" : ["first", "middle", "last"][Math.floor(3 * position / documents.length)];
  }

  const plain = value => typeof value === "string" ? value : JSON.stringify(value);

  // A switch for each column of the metadata that has a few values.
  let metadataOf = null;
  function fillMetadata() {
    if (metadataOf === task()) return;
    metadataOf = task();
    field.evidence.closest("label").hidden = !task().queries.some(query => (query.evidence || []).length);
    field.evidence.value = "all";
    const columns = new Set(task().queries.flatMap(query => Object.keys(query.metadata || {})));
    const switches = [...columns].flatMap(column => {
      const values = [...new Set(task().queries.filter(query => column in query.metadata).map(query => plain(query.metadata[column])))];
      if (values.length < 2 || values.length > 100) return [];
      const select = make("select", {className: "metadata"});
      select.dataset.column = column;
      select.append(make("option", {value: "", textContent: "all"}), ...values.sort().map(value => make("option", {value: `=${value}`, textContent: value})));
      return [make("label", {}, `${column} `, select)];
    });
    document.getElementById("explorer-metadata").replaceChildren(...switches);
  }

  function hasMetadata(query) {
    return [...document.querySelectorAll("#explorer-metadata select")].every(select =>
      !select.value || (select.dataset.column in query.metadata && select.value === `=${plain(query.metadata[select.dataset.column])}`));
  }

  function wanted(query) {
    const where = field.evidence.value;
    if (where !== "all" && (where === "in" ? ["", "absent"].includes(place(query)) : place(query) !== where)) return false;
    if (!hasMetadata(query)) return false;
    const show = field.show.value;
    if (show !== "all" && !changed(query)) return false;
    if (show === "worse" && gain(query) >= 0) return false;
    if (show === "better" && gain(query) <= 0) return false;
    const words = field.text.value.trim().toLowerCase();
    if (!words) return true;
    const {prompt, answers} = run(query);
    const all = [query.id, query.question || "", ...query.golds, promptText(prompt), ...answers.map(a => text(a[0]))];
    return all.some(part => part.toLowerCase().includes(words));
  }

  const signed = value => (value > 0 ? "+" : value < 0 ? "−" : "±") + Math.abs(value).toFixed(3);

  function refresh() {
    field.retriever.disabled = field.k.value === "0";
    fillMetadata();
    shown = task().queries.filter(wanted);
    if (field.sort.value === "loss") shown.sort((a, b) => gain(a) - gain(b));
    if (field.sort.value === "gain") shown.sort((a, b) => gain(b) - gain(a));
    const flips = task().queries.filter(changed).length;
    document.getElementById("explorer-sample").textContent = grid.notes[Number(field.task.value)];
    document.getElementById("explorer-count").textContent =
      `${shown.length} of ${task().queries.length} queries shown` +
      (compared() ? `; ${grid.precisions[compared()]} changed the answer to ${flips} of them all.` : ".");
    list.replaceChildren(...shown.map(entry));
    const kept = shown.find(query => query.id === current) || shown[0];
    select(kept, false);
  }

  function entry(query) {
    const {answers} = run(query);
    const own = answers[compared()];
    const button = make("button", {type: "button"});
    const difference = compared() && gain(query) !== 0 ? ` ${signed(own[3] - answers[0][3])}` : "";
    const mark = changed(query) ? make("span", {className: gain(query) < 0 ? "worse" : gain(query) > 0 ? "better" : "inconclusive",
      textContent: `changed${difference}`}) : make("span", {textContent: compared() ? "same" : ""});
    button.append(make("small", {}, make("span", {textContent: query.id}), mark),
      make("span", {className: "text", textContent: text(own[0]).trim() || "(no text)"}));
    button.addEventListener("click", () => select(query, true));
    button.dataset.id = query.id;
    return button;
  }

  list.addEventListener("keydown", event => {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (!step) return;
    event.preventDefault();
    move(step);
    list.querySelector("[aria-current=true]")?.focus();
  });

  function move(step) {
    const place = shown.findIndex(query => query.id === current) + step;
    if (shown[place]) select(shown[place], false);
  }

  // Words, numbers, signs and spaces: what a difference is told in.
  const tokens = string => string.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) || [];

  function differences(before, now) {
    const [a, b] = [tokens(before), tokens(now)];
    const common = Array.from({length: a.length + 1}, () => new Uint16Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i--)
      for (let j = b.length - 1; j >= 0; j--)
        common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    const parts = [];
    const add = (tag, token) => {
      const end = parts[parts.length - 1];
      if (end && end[0] === tag) end[1] += token; else parts.push([tag, token]);
    };
    let i = 0, j = 0;
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i] === b[j]) { add("", a[i]); i++; j++; }
      else if (j >= b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) add("del", a[i++]);
      else add("ins", b[j++]);
    }
    return parts.map(([tag, token]) => tag ? make(tag, {textContent: token}) : token);
  }

  function card(answer, number, baseline) {
    const [piece, flip, valid, ...values] = answer;
    const box = make("div", {className: "answer" + (number === compared() && number ? " chosen" : "")});
    const head = make("h4", {textContent: grid.precisions[number]});
    if (!number) head.append(make("span", {className: "badge inconclusive", textContent: "baseline"}));
    if (flip) head.append(make("span", {className: "badge worse", textContent: "changed"}));
    if (!valid) head.append(make("span", {className: "badge worse", textContent: "not readable"}));
    const body = make("p", {className: "text", lang: ""});
    if (!text(piece)) body.append(make("span", {className: "empty", textContent: "(empty answer)"}));
    if (number) body.append(...differences(text(baseline[0]), text(piece))); else body.append(text(piece));
    const scores = make("dl");
    task().measures.forEach((measure, i) => {
      if (values[i] === null) return;
      const delta = values[i] - baseline[i + 3];
      const worse = measure.higher ? delta < 0 : delta > 0;
      const score = make("dd", {textContent: values[i].toFixed(3)});
      if (number && delta) score.append(" ", make("span", {className: worse ? "worse" : "better", textContent: `(${signed(delta)})`}));
      scores.append(make("div", {}, make("dt", {textContent: measure.label}), score));
    });
    box.append(head, body, scores);
    return box;
  }

  function select(query, focus) {
    current = query ? query.id : null;
    for (const button of list.children) {
      const own = button.dataset.id === current;
      if (own) button.setAttribute("aria-current", "true"); else button.removeAttribute("aria-current");
      if (own && !focus) scrollInside(button);
    }
    if (!query) {
      detail.replaceChildren(make("p", {textContent: "No query has these answers. Show all answers, or search for other words."}));
      return;
    }
    const {prompt, answers} = run(query);
    const position = shown.indexOf(query);
    const step = (label, by) => {
      const button = make("button", {type: "button", className: "step", textContent: label, disabled: !shown[position + by]});
      button.addEventListener("click", () => { move(by); detail.querySelectorAll(".step")[by < 0 ? 0 : 1]?.focus(); });
      return button;
    };
    const [, tokenCount, documents, dropped, truncated] = prompt;
    const facts = [`${tokenCount.toLocaleString("en")} tokens`, `${documents.length} document${documents.length === 1 ? "" : "s"} kept`];
    if (dropped) facts.push(`${dropped} dropped for lack of room`);
    if (truncated) facts.push("query shortened");
    const cluster = query.cluster === query.id ? "" : `, ${task().cluster} ${query.cluster}`;
    detail.replaceChildren(
      make("div", {className: "head"}, make("h3", {textContent: `Query ${query.id}${cluster}`}), make("span", {}, step("← Previous", -1), " ", step("Next →", 1))),
      ...(query.question ? [make("p", {}, make("strong", {textContent: "Question: "}), query.question)] : []),
      make("p", {}, make("strong", {textContent: "Gold: "}), query.golds.join(" · ")),
      make("div", {className: "answers"}, ...answers.map((answer, i) => card(answer, i, answers[0]))),
      make("h4", {textContent: `Prompt: ${facts.join(", ")}`}),
    );
    const whole = make("pre", {tabIndex: 0, textContent: promptText(prompt)});
    if (task().passages) {
      detail.append(passages(documents, query));
      const missing = query.evidence.filter(document => !documents.includes(document));
      if (missing.length) detail.append(make("h4", {textContent: "Evidence that is not in the prompt"}), passages(missing, query));
      const known = Object.entries(query.metadata).map(([column, value]) => `${column}: ${plain(value)}`);
      if (known.length) detail.append(make("p", {className: "documents", textContent: known.join("; ")}));
      detail.append(make("details", {}, make("summary", {textContent: "The whole prompt"}), whole));
    } else {
      if (documents.length) detail.append(make("p", {className: "documents", textContent: `Documents, as they stand in the prompt: ${documents.map(text).join(", ")}`}));
      detail.append(whole);
    }
    if (focus) detail.focus({preventScroll: innerWidth > 768});
  }

  function passages(documents, query) {
    return make("ol", {className: "passages"}, ...documents.map(document => {
      const isEvidence = query.evidence.includes(document);
      const [title, body] = (task().passages[document] || []).map(text);
      const head = make("p", {}, make("strong", {textContent: title || text(document)}), " ");
      if (isEvidence) head.append(make("span", {className: "badge better", textContent: "evidence"}));
      head.append(" ", make("small", {textContent: title ? text(document) : ""}));
      return make("li", {className: isEvidence ? "evidence" : ""}, head, make("p", {textContent: body || ""}));
    }));
  }

  function scrollInside(button) {
    const [box, own] = [list.getBoundingClientRect(), button.getBoundingClientRect()];
    if (own.top < box.top) list.scrollTop -= box.top - own.top;
    if (own.bottom > box.bottom) list.scrollTop += own.bottom - box.bottom;
  }

  let pause;
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("change", refresh);
  field.text.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(refresh, 200); });

  // The data are read when the explorer comes near the window.
  const watcher = new IntersectionObserver(entries => {
    if (entries.some(one => one.isIntersecting)) { watcher.disconnect(); refresh(); }
  }, {rootMargin: "600px"});
  watcher.observe(document.getElementById("explorer"));
}

if (document.getElementById("explorer")) explore();
