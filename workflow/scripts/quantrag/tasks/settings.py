"""The configuration's section `tasks`: where queries and their users' profiles come from."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from quantrag.section import Integer, Line, Mistake, Section

#: The LaMP tasks for which there is a demo set.
DEMO_LAMPS = (3, 5)


class LampDownload(Section):
    """Downloaded from the LaMP project's server (hundreds of megabytes a task)."""

    kind: Literal["download"] = Field(description="Download the task's files.")


class LampFolder(Section):
    """Files of yours in LaMP's layout."""

    kind: Literal["local"] = Field(description="Read local files.")
    folder: Line = Field(
        description="Folder that holds `{split}_questions.json` and `{split}_outputs.json`, and "
        "the same of `train` where a precision needs calibration. Relative to the working "
        "directory."
    )


class LampDemo(Section):
    """Invented texts of invented users with habits (of titles, of rating), for LaMP-3 and LaMP-5.
    They show that the workflow works; nothing about models can be learned from them."""

    kind: Literal["demo"] = Field(description="Write a demo set.")
    users: Integer = Field(
        24,
        ge=1,
        le=5000,
        description="Users, each with one query, in the evaluated split and again in the train "
        "split.",
    )
    smallest_profile: Integer = Field(8, ge=1, le=500, description="Fewest documents of a user.")
    largest_profile: Integer = Field(
        40, ge=1, le=500, description="Most documents of a user; at least `smallest_profile`."
    )
    seed: Integer = Field(
        0,
        ge=0,
        description="Seed of the texts. Apart from the experiment's seed, so that the data stay as "
        "they are when that changes.",
    )

    @model_validator(mode="after")
    def _profiles_have_sizes(self) -> "LampDemo":
        if self.smallest_profile > self.largest_profile:
            raise Mistake(
                f"{self.smallest_profile} is too large. Allowed: at most largest_profile, "
                f"{self.largest_profile}",
                "smallest_profile",
            )
        return self


class TaskSettings(Section):
    """One set of queries with their users' profiles, in the file layout of the LaMP benchmark."""

    lamp: Literal[1, 2, 3, 4, 5, 7] = Field(
        description="The LaMP task whose layout the files have: 1 citation choice, 2 movie tag, "
        "3 product rating, 4 news headline, 5 scholarly title, 7 tweet paraphrase. (The e-mails of "
        "6 are not public.)"
    )
    split: Literal["dev", "test"] = Field(
        "dev",
        description="The split that is evaluated. LaMP publishes no golds of `test`; it is for "
        "local files that have them. The split `train` is kept for calibration.",
    )
    users: Literal["user", "time"] = Field(
        "user",
        description="LaMP's way of splitting: `user` (no user is in two splits; the paper's "
        "choice) or `time` (the same users in every split, later texts in later splits). It "
        "decides what is downloaded; local and demo files are what they are.",
    )
    source: Annotated[LampDownload | LampFolder | LampDemo, Field(discriminator="kind")] = Field(
        LampDownload(kind="download"), description="Where the files come from."
    )
    invalid_records: Literal["error", "drop"] = Field(
        "error",
        description="What becomes of records that can't be used (an empty text, an id that "
        "repeats, a question without a gold): `error` stops with examples of them; `drop` leaves "
        "out documents and questions, says in the rule's log how many, and stops only where they "
        "are more than 5%.",
    )
    max_queries: Integer | None = Field(
        None,
        ge=1,
        description="Evaluate only the first so many queries in file order; `null` evaluates all. "
        "The whole file is read and checked all the same.",
    )
    max_training_queries: Integer | None = Field(
        512,
        ge=1,
        description="Keep only the first so many queries of the train split, which is used only "
        "for calibration.",
    )

    @model_validator(mode="after")
    def _there_is_a_demo_set(self) -> "TaskSettings":
        if self.source.kind == "demo" and self.lamp not in DEMO_LAMPS:
            allowed = ", ".join(map(str, DEMO_LAMPS))
            raise Mistake(f"{self.lamp} has no demo set. Allowed: {allowed}", "lamp")
        return self
