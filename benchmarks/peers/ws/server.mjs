// Broadcasts every message of a Redis channel to every open socket, as the `ws` README's broadcast example does.
// The message is made a Buffer once; a string would be encoded again for each socket.
import { createClient } from 'redis'
import WebSocket, { WebSocketServer } from 'ws'

const [port, redisPort] = process.argv.slice(2).map(Number)
const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false, backlog: 4096 })
const subscriber = createClient({ url: `redis://127.0.0.1:${redisPort}` })
await subscriber.connect()
await subscriber.subscribe('live', (message) => {
  const data = Buffer.from(message)
  for (const client of server.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(data, { binary: false })
  }
})
