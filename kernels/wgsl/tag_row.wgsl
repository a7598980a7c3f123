// Of the words of the item's row, as they are on the card by now.
fn tag_of_row(item: u32) -> vec2<u32> {
  var t = tag_start(item);
  for (var i = parameter(6u); i < parameter(3u); i++) {
    t = tag(t, item_word(item, i));
  }
  return t;
}
