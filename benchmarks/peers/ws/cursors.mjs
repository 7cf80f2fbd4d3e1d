// Passes every move of a cursor on to everybody else, as it comes: the `ws` README's "broadcast excluding itself".
// The message is made a Buffer once; a string would be encoded again for each socket.
import WebSocket, { WebSocketServer } from 'ws'

const port = Number(process.argv[2])
const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false, backlog: 4096 })
server.on('connection', (socket, request) => {
  const id = request.headers['x-user']
  const user = { id, name: `Person ${id}`, avatar: null }
  socket.on('message', (message) => {
    const { cursor } = JSON.parse(message)
    const data = Buffer.from(JSON.stringify({ type: 'cursor', user, cursor }))
    for (const client of server.clients) {
      if (client !== socket && client.readyState === WebSocket.OPEN) client.send(data, { binary: false })
    }
  })
})
