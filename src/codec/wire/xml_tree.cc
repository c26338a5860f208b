#include "codec/wire/xml_tree.h"

namespace chancery::xml {

std::string_view Text::text() const { return tree_->view(tree_->records[index_].name); }

Span Text::wire() const {
  const Tree::Record& record = tree_->records[index_];
  return {record.begin, record.end};
}

std::string_view Attribute::name() const {
  return tree_ ? tree_->view(tree_->attributes[index_].name) : std::string_view{};
}

std::string_view Attribute::ns() const {
  return tree_ ? tree_->view(tree_->attributes[index_].ns) : std::string_view{};
}

std::string_view Attribute::value() const {
  return tree_ ? tree_->view(tree_->attributes[index_].value) : std::string_view{};
}

Span Attribute::wire() const {
  if (!tree_) return {};
  const Tree::AttributeRecord& record = tree_->attributes[index_];
  return {record.begin, record.end};
}

Span Attribute::value_wire() const {
  if (!tree_) return {};
  const Tree::AttributeRecord& record = tree_->attributes[index_];
  return {record.value_begin, record.end - 1};
}

bool Node::is_element() const { return !tree_->records[index_].is_text; }

Element Node::element() const { return is_element() ? Element{tree_, index_} : Element{}; }

Span Node::wire() const {
  const Tree::Record& record = tree_->records[index_];
  return {record.begin, record.end};
}

std::string_view Element::qualified_name() const {
  if (!tree_) return {};
  const Tree::Record& record = tree_->records[index_];
  const std::uint32_t begin = record.begin + 1;
  return tree_->wire.substr(begin, record.name.begin + record.name.size - begin);
}

Attribute Element::find_attribute(std::string_view local, std::string_view in_namespace) const {
  if (!tree_) return {};
  const Tree::Record& record = tree_->records[index_];
  for (std::uint32_t i = 0; i < record.attributes; ++i) {
    const Tree::AttributeRecord& attribute = tree_->attributes[record.attributes_begin + i];
    if (attribute.name.size == local.size() && attribute.ns.size == in_namespace.size() &&
        tree_->view(attribute.name) == local && tree_->view(attribute.ns) == in_namespace)
      return {tree_, record.attributes_begin + i};
  }
  return {};
}

std::size_t Element::attribute_count() const { return tree_ ? tree_->records[index_].attributes : 0; }

Attribute Element::attribute_at(std::size_t position) const {
  if (position >= attribute_count()) return {};
  return {tree_, tree_->records[index_].attributes_begin + static_cast<std::uint32_t>(position)};
}

Element Element::child(std::string_view local, std::string_view in_namespace) const {
  for (const Element element : children())
    if (element.is(local, in_namespace)) return element;
  return {};
}

Element Element::first_child() const {
  for (const Element element : children()) return element;
  return {};
}

Element Element::parent() const {
  if (!tree_) return {};
  const std::uint32_t parent = tree_->records[index_].parent;
  return parent == Tree::kNone ? Element{} : Element{tree_, parent};
}

Siblings<Element> Element::children() const {
  if (!tree_) return {nullptr, 0, 0};
  return {tree_, index_ + 1, tree_->records[index_].after};
}

Siblings<Node> Element::nodes() const {
  if (!tree_) return {nullptr, 0, 0};
  return {tree_, index_ + 1, tree_->records[index_].after};
}

std::string Element::text() const {
  std::string joined;
  for (const Node node : nodes())
    if (node.is_text()) joined.append(node.text().text());
  return joined;
}

std::string_view Element::language() const {
  for (Element element = *this; element; element = element.parent())
    if (const Attribute language = element.find_attribute("lang", kXmlNamespace)) return language.value();
  return {};
}

Span Element::wire() const {
  if (!tree_) return {};
  const Tree::Record& record = tree_->records[index_];
  return {record.begin, record.end};
}

Span Element::open_tag() const {
  if (!tree_) return {};
  const Tree::Record& record = tree_->records[index_];
  return {record.begin, record.open_end};
}

Span Element::inner() const {
  if (!tree_) return {};
  const Tree::Record& record = tree_->records[index_];
  return {record.open_end, record.close_begin};
}

bool Element::is_empty_tag() const { return tree_ && tree_->records[index_].close_begin == tree_->records[index_].end; }

Bytes Element::source() const {
  if (!tree_) return {};
  const Tree::Record& record = tree_->records[index_];
  return tree_->wire.substr(record.begin, record.end - record.begin);
}

}  // namespace chancery::xml
