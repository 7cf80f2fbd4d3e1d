// Hanzo Live on Cloudflare Workers for ultra-low latency
import { HanzoLiveEdge, type HanzoLiveEdgeOptions } from '@hanzo/live-edge'

export { HanzoLiveSession } from '@hanzo/live-edge'

interface Env {
  HANZO_NODE_URL: string
  CACHE_KV: HanzoLiveEdgeOptions['kv']
  SESSIONS_DO: HanzoLiveEdgeOptions['durable']
}

export default {
  async fetch(request: Request, env: Env) {
    const upgradeHeader = request.headers.get('Upgrade')
    
    if (upgradeHeader === 'websocket') {
      // Handle WebSocket upgrade
      const server = new HanzoLiveEdge({
        nodeUrl: env.HANZO_NODE_URL,
        kv: env.CACHE_KV,
        durable: env.SESSIONS_DO
      })
      
      return server.handleWebSocket(request)
    }
    
    return new Response('Hanzo Live Edge', { status: 200 })
  }
}
