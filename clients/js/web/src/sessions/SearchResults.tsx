/** What a search found: sessions by their titles, and messages with the words that matched. */

import { ErrorMessage, fullTime, relativeTime } from "@hanzo/live-ui";
import type { ReactElement } from "react";
import type { Found } from "../api/resources";
import { messagePath, sessionPath } from "../routes";
import { piecesOf } from "./marks";
import type { Search } from "./use-search";

interface SearchResultsProps {
  words: string;
  search: Search;
  now: number;
}

export function SearchResults({ words, search, now }: SearchResultsProps): ReactElement {
  const { results, isSearching, error, hasMore, retry, more } = search;
  const found = results?.length ?? 0;
  return (
    <section aria-label="Search results" aria-busy={isSearching}>
      <p className="list-note" role="status">
        {isSearching ? "Searching" : error ? "" : countText(found, hasMore)}
      </p>
      {error && <ErrorMessage error={error} onRetry={retry} />}
      {!isSearching && !error && found === 0 && (
        <div className="empty-state">
          <h2>Nothing found</h2>
          <p className="hl-muted">
            No title and no message of your sessions has all of “<bdi>{words.trim()}</bdi>”. Words count by
            their beginnings; try fewer or shorter ones.
          </p>
        </div>
      )}
      {found > 0 && (
        <ul className="found-list">
          {results?.map((each) => (
            <li key={each.message?.id ?? each.session.id}>
              <FoundRow found={each} now={now} />
            </li>
          ))}
        </ul>
      )}
      {hasMore && (
        <button type="button" className="hl-button list-more" onClick={more}>
          Show more
        </button>
      )}
    </section>
  );
}

function FoundRow({ found, now }: { found: Found; now: number }): ReactElement {
  const { session, message, snippet } = found;
  const text = piecesOf(snippet.text, snippet.marks).map(({ text, marked }, index) =>
    marked ? <mark key={index}>{text}</mark> : text,
  );
  if (!message) {
    return (
      <a className="found-row" data-row href={sessionPath(session)}>
        <span className="found-title" dir="auto">
          {text}
        </span>
        <span className="found-meta">Session{session.archived && ", archived"}</span>
      </a>
    );
  }
  const speaker = message.role === "assistant" ? "Answer" : (message.user?.name ?? "Somebody who left");
  return (
    <a className="found-row" data-row href={messagePath(session, message.n)}>
      <span className="found-title" dir="auto">
        {session.title}
      </span>
      <span className="found-meta">
        <bdi>{speaker}</bdi>
        {" · "}
        <time dateTime={message.created_at} title={fullTime(message.created_at)}>
            {relativeTime(message.created_at, now)}
          </time>
        {session.archived && " · archived"}
      </span>
      <span className="found-text" dir="auto">
        {text}
      </span>
    </a>
  );
}

function countText(found: number, hasMore: boolean): string {
  if (found === 0) return "";
  return `${found}${hasMore ? " and more" : ""} ${found === 1 && !hasMore ? "result" : "results"}`;
}
