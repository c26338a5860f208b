#include "codec/wire/xml_edit.h"

#include <gtest/gtest.h>

#include "codec/wire/xml.h"

namespace chancery::xml {
namespace {

class Edit : public ::testing::Test {
 protected:
  Element read(std::string_view stanza) {
    wire_ = stanza;
    EXPECT_FALSE(scanner_.parse(wire_, tree_));
    return tree_.root();
  }
  Scanner scanner_{Limits{}};
  std::string wire_;
  Tree tree_;
};

TEST_F(Edit, WithoutEditsTheWireIsAsItCame) {
  read("<m  a = '1' >x<b />&#x41;</m >");
  EXPECT_TRUE(Editor(wire_).empty());
  EXPECT_EQ(Editor(wire_).apply(), wire_);
}

TEST_F(Edit, ATextIsReplacedAndTheRestStays) {
  const Element root = read("<m a='&#65;'>x &lt; y<b />z</m >");
  Editor editor(wire_);
  for (const Node node : root.nodes())
    if (node.is_text()) editor.set_text(node.text(), "<*>");
  EXPECT_EQ(editor.apply(), "<m a='&#65;'>&lt;*&gt;<b />&lt;*&gt;</m >");
}

TEST_F(Edit, ACdataSectionIsReplacedAsAWhole) {
  const Element root = read("<m><![CDATA[secret]]></m>");
  Editor editor(wire_);
  editor.set_text((*root.nodes().begin()).text(), "***");
  EXPECT_EQ(editor.apply(), "<m>***</m>");
}

TEST_F(Edit, AnAttributeIsReplacedOrRemoved) {
  const Element root = read("<m a='1'\n b=\"2\" c='3'/>");
  Editor editor(wire_);
  editor.set_value(root.find_attribute("a"), "'\"");
  editor.remove(root.find_attribute("b"));
  EXPECT_EQ(editor.apply(), "<m a='&apos;&quot;' c='3'/>");
}

TEST_F(Edit, RemovingAnElementWinsOverEditsInsideOfIt) {
  const Element root = read("<m><a>x</a><b/></m>");
  Editor editor(wire_);
  editor.set_text((*root.first_child().nodes().begin()).text(), "y");
  editor.remove(root.first_child());
  EXPECT_EQ(editor.apply(), "<m><b/></m>");
}

TEST_F(Edit, ChildrenAreAppendedInOrder) {
  const Element root = read("<m><p:a xmlns:p='u' x='y' /><b>t</b></m>");
  Editor editor(wire_);
  editor.append_child(root.first_child(), "<c/>");
  editor.append_child(root, "<d/>");
  editor.append_child(root, "<e/>");
  EXPECT_EQ(editor.apply(), "<m><p:a xmlns:p='u' x='y' ><c/></p:a><b>t</b><d/><e/></m>");
}

TEST_F(Edit, InsertionsStandBeforeWhatIsReplacedThere) {
  Editor editor("abc");
  editor.replace({1, 2}, "B");
  editor.insert(1, "1");
  editor.insert(1, "2");
  editor.insert(3, "!");
  EXPECT_EQ(editor.apply(), "a12Bc!");
}

TEST_F(Edit, OverlappingEditsDoNotMix) {
  Editor editor("abcdef");
  editor.replace({0, 3}, "X");
  editor.replace({2, 5}, "Y");
  editor.insert(2, "no");
  EXPECT_EQ(editor.apply(), "Xdef");
}

// What escape gives must be read back the same, as text and in both quotes, whatever stands around it.
TEST_F(Edit, WhatIsEscapedIsReadBack) {
  std::string all;
  for (char c = 0x20; c < 0x7f; ++c) all.push_back(c);
  for (const std::string_view text : {std::string_view(all), std::string_view("]]>"), std::string_view(">"),
                                      std::string_view("\t\r\n \r"), std::string_view("\u00e4\u20ac\U0001f600")}) {
    const std::string escaped = escape(text);
    EXPECT_EQ(read("<m>]]" + escaped + "</m>").text(), "]]" + std::string(text));
    EXPECT_EQ(read("<m a='" + escaped + "'/>").attribute("a"), text);
    EXPECT_EQ(read("<m a=\"" + escaped + "\"/>").attribute("a"), text);
  }
}

TEST_F(Edit, WhatXmlCannotCarryIsReplaced) {
  EXPECT_EQ(escape(std::string_view("a\0\x01\x1f", 4)), "a\ufffd\ufffd\ufffd");
  EXPECT_EQ(escape("\xff\xc3"), "\ufffd\ufffd");
  EXPECT_EQ(escape("\xef\xbf\xbe"), "\ufffd");
}

}  // namespace
}  // namespace chancery::xml
