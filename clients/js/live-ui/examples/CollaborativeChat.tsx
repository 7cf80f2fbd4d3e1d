import { useCollaborativeSession } from "@hanzo/live";
// Mended: the components come from somewhere.
import { Avatar, TypingIndicator } from "@hanzo/live-ui";

/** Mended: who one is, whom one invites and what people look like, a page knows by itself. */
interface CollaborativeChatProps {
  currentUser: { id: string };
  email: string;
  getUserAvatar: (userId: string | null) => string | null;
}

export function CollaborativeChat({ currentUser, email, getUserAvatar }: CollaborativeChatProps) {
  const {
    messages,
    users, // Connected users
    userActivity, // Who's typing, thinking, etc
    sendMessage,
    inviteUser,
  } = useCollaborativeSession({
    sessionId: "project-brainstorm",
    userId: currentUser.id,
  });

  return (
    <div>
      <div className="users">
        {users.map((user) => (
          <div key={user.id} className="user">
            <Avatar src={user.avatar} />
            <span>{user.name}</span>
            {userActivity[user.id] === "typing" && <TypingIndicator />}
          </div>
        ))}
      </div>

      <div className="messages">
        {messages.map((msg, i) => (
          <div key={i} className={`message ${msg.userId ?? ""}`}>
            <Avatar src={getUserAvatar(msg.userId)} />
            <div className="content">{msg.content}</div>
          </div>
        ))}
      </div>

      <button onClick={() => void inviteUser(email)}>Invite Collaborator</button>
      <button onClick={() => void sendMessage("Where do rivers begin?")}>Ask</button>
    </div>
  );
}
