echo x > server.js
