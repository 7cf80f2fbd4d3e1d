// Passes every move of a cursor on to everybody else, as it comes: `socket.broadcast.emit`, as in Socket.IO's examples.
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const port = Number(process.argv[2])
const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })
io.on('connection', (socket) => {
  const id = socket.handshake.headers['x-user']
  const user = { id, name: `Person ${id}`, avatar: null }
  socket.on('cursor', (cursor) => socket.broadcast.emit('cursor', { type: 'cursor', user, cursor }))
})
http.listen({ host: '127.0.0.1', port, backlog: 4096 })
