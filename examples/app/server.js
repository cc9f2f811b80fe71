const polka = require('polka');
const { greet } = require('./lib/greet');

const port = Number(process.env.PORT || 3000);

polka()
  .get('/', (req, res) => res.end(greet('world') + '\n'))
  .get('/hello/:name', (req, res) => res.end(greet(req.params.name) + '\n'))
  .listen(port, '127.0.0.1', () => console.log(`listening on ${port}`));

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
