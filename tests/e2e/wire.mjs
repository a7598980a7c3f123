// A TCP connection between two nodes that can be cut.
import net from 'node:net';

export class Wire {
  // Listens on port `from` and leads to port `to`, both on loopback.
  constructor(from, to) {
    this.pairs = new Set();
    this.held = false;
    this.server = net.createServer({ allowHalfOpen: false, pauseOnConnect: true }, (near) => {
      if (this.severed) return near.destroy();
      const far = net.connect(to, '127.0.0.1');
      far.pause();
      const pair = [near, far];
      this.pairs.add(pair);
      const end = () => {
        pair.forEach((socket) => socket.destroy());
        this.pairs.delete(pair);
      };
      for (const socket of pair) socket.setNoDelay(true).on('close', end).on('error', end);
      if (!this.held) join(pair);
    });
    this.ready = new Promise((resolve, reject) => this.server.once('error', reject).listen(from, '127.0.0.1', resolve));
  }

  // As a router that drops packets: nothing passes, nobody is told.
  hold() {
    this.held = true;
    for (const [near, far] of this.pairs) {
      near.unpipe(far).pause();
      far.unpipe(near).pause();
    }
  }

  // As a router that resets connections and refuses new ones.
  sever() {
    this.severed = true;
    for (const [near] of this.pairs) near.destroy();
  }

  heal() {
    this.held = this.severed = false;
    this.pairs.forEach(join);
  }

  close() {
    this.sever();
    this.server.close();
  }
}

function join([near, far]) {
  near.pipe(far);
  far.pipe(near);
}
