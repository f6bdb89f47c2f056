"""Model names resolve exactly, in every form that clouds, gateways and tools write, and never by prefix."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.modelname import spellings
from costkit.errors import ExitCode, UnknownModel

REGIONS = ["global", "us", "eu", "au", "jp", "apac", "us-gov", "ca", "sa"]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("claude-opus-5", "claude-opus-5"),
        ("claude-fable-5-2", "claude-fable-5-2"),
        ("claude-fable-5", "claude-fable-5"),
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"),
        ("claude-haiku-4.5", "claude-haiku-4-5-20251001"),
        ("claude-haiku-4-5-latest", "claude-haiku-4-5-20251001"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022"),
        ("claude-3.7-sonnet", "claude-3-7-sonnet-20250219"),
        ("claude-opus-4", "claude-opus-4-20250514"),
        ("claude-opus-4-0", "claude-opus-4-20250514"),
        ("claude-4-opus-20250514", "claude-opus-4-20250514"),
        ("claude-4-sonnet-20250514", "claude-sonnet-4-20250514"),
        ("claude-opus-4-1", "claude-opus-4-1-20250805"),
        ("claude-opus-4-6-20260205", "claude-opus-4-6"),
        ("claude-opus-5-5-20260922", "claude-opus-5-5"),
        ("claude-3-5-sonnet", "claude-3-5-sonnet-20241022"),
        ("claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20240620"),
        ("anthropic/claude-sonnet-5.5", "claude-sonnet-5-5"),
        ("vertex_ai/claude-opus-4-5@20251101", "claude-opus-4-5-20251101"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929"),
        ("claude-haiku-5-5@default", "claude-haiku-5-5"),
        ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet-20240620"),
        ("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet-20241022"),
        ("publishers/anthropic/models/claude-opus-4-1@20250805", "claude-opus-4-1-20250805"),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "claude-3-5-sonnet-20240620"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022"),
        ("anthropic.claude-3-haiku-20240307-v1:0:200k", "claude-3-haiku-20240307"),
        ("anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("claude-sonnet-4-5[1m]", "claude-sonnet-4-5-20250929"),
        ("claude-opus-4-6[1M]", "claude-opus-4-6"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
            "claude-haiku-4-5-20251001",
        ),
        ("arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("  Claude-Opus-5 ", "claude-opus-5"),
        ("openrouter/anthropic/claude-sonnet-4.5", "claude-sonnet-4-5-20250929"),
        ("bedrock/converse/us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001"),
        ("bedrock/us-east-1/anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("bedrock/us-gov-west-1/anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("litellm_proxy/claude-opus-5-5", "claude-opus-5-5"),
        ("azure_ai/claude-opus-5-5", "claude-opus-5-5"),
        ("models/claude-opus-5-5", "claude-opus-5-5"),
        (
            "projects/p-1/locations/global/publishers/anthropic/models/claude-sonnet-4-5@20250929",
            "claude-sonnet-4-5-20250929",
        ),
    ],
)
def test_every_form_of_a_name_means_its_model(name: str, model: str) -> None:
    assert built_in_book().resolve(name).id == model


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("platform_id", ["claude-sonnet-4-5-20250929-v1:0", "claude-fable-5-2", "claude-opus-4-6-v1"])
def test_a_regional_inference_profile_means_the_same_model(region: str, platform_id: str) -> None:
    regional = built_in_book().resolve(f"{region}.anthropic.{platform_id}")
    assert regional is built_in_book().resolve(f"anthropic.{platform_id}")


@pytest.mark.parametrize(
    ("name", "candidate"),
    [
        ("claude-opus-5-6", "claude-opus-5-5"),
        ("claude-fable-5-3", "claude-fable-5-2"),
        ("claude-sonnet-5-5-fast", "claude-sonnet-5-5"),
        ("claude-opus-5-5x", "claude-opus-5-5"),
        ("claude-haiku-5", "claude-haiku-5-5"),
        ("us.anthropic.claude-opus-5-7-v1:0", "claude-opus-5-5"),
    ],
)
def test_a_near_miss_is_unknown_and_names_close_models(name: str, candidate: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        built_in_book().resolve(name)
    assert candidate in caught.value.candidates
    assert candidate in str(caught.value.hint)
    assert caught.value.exit_code is ExitCode.UNDECIDED


@pytest.mark.parametrize(
    "name", ["gpt-4o", "", " ", "claude", "/", "[1m]", "-latest", "@20250514", "claude-opus-5-20261399"]
)
def test_what_is_no_claude_model_is_unknown(name: str) -> None:
    with pytest.raises(UnknownModel):
        built_in_book().resolve(name)


@pytest.mark.parametrize(
    "name",
    [
        "claude-sonnet-4-5-20250101",
        "claude-sonnet-4-5@20250101",
        "claude-3-5-sonnet-20990101",
        "us.anthropic.claude-sonnet-4-5-20250101-v1:0",
    ],
)
def test_another_date_of_a_dated_model_is_another_model(name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        built_in_book().resolve(name)
    assert any(
        candidate.startswith(("claude-sonnet-4-5", "claude-3-5-sonnet")) for candidate in caught.value.candidates
    )


@pytest.mark.parametrize("name", ["claude-opus-5-v2", "claude-opus-5-5-v9:7", "claude-sonnet-4-5-20250929-v1:0"])
def test_only_bedrock_puts_a_version_behind_a_name(name: str) -> None:
    with pytest.raises(UnknownModel):
        built_in_book().resolve(name)


@pytest.mark.parametrize(
    "name",
    [
        "evil/claude-haiku-5-5",
        "anthropic/evil/claude-haiku-5-5",
        "us-east-1/claude-haiku-5-5",
        "a/b/c/claude-haiku-5-5",
    ],
)
def test_a_prefix_of_nobody_that_is_known_is_not_taken_off(name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        built_in_book().resolve(name)
    assert caught.value.candidates[0] == "claude-haiku-5-5"


def test_every_id_and_alias_of_the_book_means_its_own_model() -> None:
    book = built_in_book()
    names = [(name, model.id) for model in book.models for name in (model.id, *model.aliases)]
    assert [(name, book.resolve(name).id) for name, _ in names] == names


def test_no_model_answers_to_the_beginning_of_its_name_plus_more() -> None:
    book = built_in_book()
    for model in book.models:
        with pytest.raises(UnknownModel):
            book.resolve(f"{model.id}-9")


@given(st.text(max_size=60))
def test_any_text_can_be_spelled(name: str) -> None:
    assert len(spellings(name)) in {1, 2, 3}
