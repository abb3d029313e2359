const ANSWER: &str = "I am not a model. I am a stand-in, written by hand, so that this example needs no weights and no key. \
A real one would send its words here one by one, just as I do, and each would become an event with an id.\n\n\
Now cut the line: pull the plug, or press the button. The words that I write while you are away are kept, and when you are back you get \
them first, each once, and then the rest as it is written.\n\n\
But if you close the page, I notice. The last reader of this answer is gone, and when nobody has come back for two seconds I stop, since a \
model that writes on for nobody costs what it costs. If you come back later, I begin again.\n\n\
You asked: ";

/// The words of an answer, each with the space before it.
pub(crate) fn answer(prompt: &str) -> Vec<String> {
    let prompt: String = prompt.chars().take(500).collect();
    let text = format!("{ANSWER}{prompt}");
    text.split_inclusive([' ', '\n']).map(str::to_owned).collect()
}
