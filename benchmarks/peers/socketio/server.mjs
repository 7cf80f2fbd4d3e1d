// Emits every message of a Redis channel to all Socket.IO clients.
// `io.emit` with the in-memory adapter encodes a packet once for all sockets: Socket.IO's own fast path.
import { createServer } from 'node:http'
import { createClient } from 'redis'
import { Server } from 'socket.io'

const [port, redisPort] = process.argv.slice(2).map(Number)
const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })
const subscriber = createClient({ url: `redis://127.0.0.1:${redisPort}` })
await subscriber.connect()
await subscriber.subscribe('live', (message) => io.emit('token', JSON.parse(message)))
http.listen({ host: '127.0.0.1', port, backlog: 4096 })
