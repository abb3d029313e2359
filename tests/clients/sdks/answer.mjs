// Prints as JSON what an SDK has read, and the error that it raised, if it did.

export async function answer(ask) {
  const read = { text: "", finish: null, error: null };
  try {
    await ask(read);
  } catch (error) {
    read.error = `${error.constructor.name}: ${error.message}`;
  }
  console.log(JSON.stringify(read));
}
