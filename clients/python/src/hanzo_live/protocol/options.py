"""What a caller may ask of a stream: shared by `stream.start`, `message.send`, `draft.send` and REST.

Names are the wire's (snake_case); the clients map their own. Nothing here says who may ask: that is `access.py`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from typing_extensions import Self

from hanzo_live.protocol.base import (
    NO_NUL,
    Content,
    JsonObject,
    Key,
    LargeJson,
    Name,
    NewContent,
    SchemaJson,
    SessionRef,
    Url,
    WireModel,
)
from hanzo_live.protocol.shapes import Overlap

StopText: TypeAlias = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]


class ChatMessage(WireModel):
    """One message in OpenAI's shape."""

    example: ClassVar[JsonObject] = {"role": "user", "content": "What is the capital of France?"}

    role: Literal["system", "developer", "user", "assistant", "tool"] = Field(description="Who speaks.")
    content: Content | Annotated[list[LargeJson], Field(max_length=100)] | None = Field(
        None, description="The text, or OpenAI's content parts."
    )
    name: Name | None = Field(None, description="The speaker, where there are several of one role.")
    tool_calls: Annotated[list[SchemaJson], Field(max_length=128)] | None = Field(
        None, description="Calls that an assistant made, in OpenAI's shape."
    )
    tool_call_id: Name | None = Field(None, description="The call that a tool's message answers.")


class FunctionSpec(WireModel):
    """A tool: its name, what it is for, and its parameters as JSON Schema or in the short form."""

    example: ClassVar[JsonObject] = {
        "name": "search_web",
        "description": "Search the web",
        "parameters": {"query": "string"},
    }

    name: Name = Field(description="Name, unique among the tools of a request.")
    description: Content | None = Field(None, description="What it is for; the model reads it.")
    parameters: SchemaJson | None = Field(None, description="JSON Schema, or the short form {name: type}.")
    strict: bool | None = Field(None, description="Passed on to the node.")


class OpenAITool(WireModel):
    """A tool in OpenAI's shape."""

    example: ClassVar[JsonObject] = {"type": "function", "function": FunctionSpec.example}

    type: Literal["function"] = Field(description="OpenAI knows functions only.")
    function: FunctionSpec = Field(description="The function.")


def _tool_shape(tool: object) -> str:
    return "openai" if isinstance(tool, OpenAITool) or (isinstance(tool, dict) and "function" in tool) else "short"


Tool: TypeAlias = Annotated[
    Annotated[OpenAITool, Tag("openai")] | Annotated[FunctionSpec, Tag("short")], Discriminator(_tool_shape)
]
"""A tool in either shape; told apart by the field `function`, so that a fault is named in the shape that was meant."""


class FunctionName(WireModel):
    """The name of a tool that must be called."""

    example: ClassVar[JsonObject] = {"name": "search_web"}

    name: Name = Field(description="Name of the tool.")


class ToolChoice(WireModel):
    """The one tool that the model must call, in OpenAI's shape."""

    example: ClassVar[JsonObject] = {"type": "function", "function": FunctionName.example}

    type: Literal["function"] = Field(description="OpenAI knows functions only.")
    function: FunctionName = Field(description="Which.")


class McpOptions(WireModel):
    """MCP servers whose tools the model may call. Checked against the operator's list."""

    example: ClassVar[JsonObject] = {"enabled": True, "servers": ["http://localhost:8081"]}

    enabled: bool = Field(True, description="False turns them off.")
    servers: list[Url] = Field(default_factory=list, max_length=16, description="Their addresses.")


class RouteOptions(WireModel):
    """Where the stream may run."""

    example: ClassVar[JsonObject] = {"prefer_local": True, "fallback_to_cloud": False}

    prefer_local: bool = Field(False, description="Ask a local node first.")
    force_local: bool = Field(False, description="Never leave the operator's local nodes, whatever fails.")
    fallback_to_cloud: bool = Field(False, description="Ask the cloud when the local node fails.")
    local_node_url: Url | None = Field(None, description="One of the nodes that the operator configured.")


class CacheOptions(WireModel):
    """Whether an earlier answer may be given again."""

    example: ClassVar[JsonObject] = {"enabled": True, "ttl": 3600, "semantic": True, "similarity_threshold": 0.95}

    enabled: bool = Field(False, description="Look in the cache, and put the answer there.")
    backend: Literal["redis"] = Field("redis", description="The only one there is.")
    ttl: int = Field(3600, ge=1, le=31_536_000, description="Seconds that the answer is kept.")
    semantic: bool = Field(False, description="Accept the answer to a similar question.")
    similarity_threshold: float = Field(0.95, ge=0, le=1, description="How similar the question must be.")


class StreamOptions(WireModel):
    """Everything about a stream except what is asked. Absent or null means the session's or the server's default."""

    model: Name | None = Field(None, description="The model to ask.")
    max_tokens: int | None = Field(None, ge=1, le=1_000_000, description="Most tokens to write.")
    temperature: float | None = Field(None, ge=0, le=2, description="0 is the most predictable.")
    top_p: float | None = Field(None, ge=0, le=1, description="Share of likely tokens to choose from.")
    stop: StopText | Annotated[list[StopText], Field(max_length=16)] | None = Field(
        None, description="Text, or up to 16 texts, at which the answer ends."
    )
    seed: int | None = Field(
        None, ge=-(2**53) + 1, le=2**53 - 1, description="Same seed, same answer, where the node can."
    )
    tools: Literal["auto"] | Annotated[list[Tool], Field(max_length=128)] | None = Field(
        None, description="`auto` (what MCP and the server offer), OpenAI's shape, or {name, description, parameters}."
    )
    tool_choice: Literal["auto", "none", "required"] | ToolChoice | None = Field(
        None, description="Whether and which tool must be called."
    )
    mcp: McpOptions | None = Field(None, description="MCP servers to use.")
    show_thoughts: bool | None = Field(None, description="Send the caller the model's thoughts; default false.")
    stream_tool_calls: bool | None = Field(None, description="Send arguments while they are written; default false.")
    route: RouteOptions | None = Field(None, description="Where the stream may run.")
    cache: CacheOptions | None = Field(None, description="Whether an earlier answer may be given again.")
    overlap: Overlap | None = Field(None, description="What happens while another answer is written in the session.")
    flush_ms: int | None = Field(
        None, ge=0, le=60_000, description="Least time between frames; rounds up to a class, at most 1000."
    )
    buffer_size: int | None = Field(None, ge=1, le=10_000, description="Tokens after which a frame is sent earlier.")


class StreamRequest(StreamOptions):
    """What to ask, and how: `messages` or `content`, one of them. The body of `POST /v1/streams`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["messages"], "properties": {"messages": {"type": "array"}}},
                {"required": ["content"], "properties": {"content": {"type": "string"}}},
            ]
        }
    )
    example: ClassVar[JsonObject] = {"messages": [ChatMessage.example], "model": "llama-3-8b", "key": "c-1"}

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=500)] | None = Field(
        None, description="The conversation in OpenAI's shape."
    )
    content: NewContent | None = Field(None, description="The prompt alone.")
    session: SessionRef | None = Field(None, description="Id or slug of the session to answer in; else stand-alone.")
    key: Key | None = Field(None, description="Idempotency: the same key starts once and gives the same answer.")

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if (self.messages is None) == (self.content is None):
            raise ValueError("needs either `messages` or `content`, and not both")
        return self


class MessageRequest(StreamOptions):
    """A message to post in a session. The body of `POST /v1/sessions/{id}/messages`."""

    example: ClassVar[JsonObject] = {"content": "What is the capital of France?", "key": "c-1"}

    content: NewContent = Field(description="The text.")
    key: Key | None = Field(None, description="Idempotency: the same key posts once and gives the same answer.")
    reply: bool = Field(True, description="False posts without asking the model.")


def option_fields() -> frozenset[str]:
    """The names of the options that `stream.start`, `message.send`, `draft.send` and REST share."""
    return frozenset(StreamOptions.model_fields)
