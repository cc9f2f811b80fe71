exports.greet = (name) => `Hello, ${name}, from a container that mica built.`;
