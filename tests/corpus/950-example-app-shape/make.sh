echo '{}' > package.json; echo '{"l":1}' > package-lock.json; echo js > server.js; mkdir lib; echo x > lib/x.js
