#include "codec/wire/xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include "codec/wire/xml_oracle.h"

namespace chancery::xml {
namespace {

constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "to='im.test' version='1.0'>";

std::string in_stream(std::string_view content) {
  return std::string(kHeader).append(content).append("</stream:stream>");
}

// --- pieces ----------------------------------------------------------------------------------------------------------

TEST(Xml, GivesThePiecesOfAStream) {
  const std::string octets = in_stream(" <message to='a@im.test'><body>hi</body></message>\n<presence/>");
  Scanner scanner(Limits{});
  scanner.feed(octets);
  std::vector<std::string> wires;
  std::string kinds;
  while (const std::optional<Item> item = scanner.next()) {
    wires.emplace_back(item->wire);
    kinds.push_back("dOS_c"[static_cast<int>(item->kind)]);
  }
  EXPECT_EQ(kinds, "dO_S_Sc");
  std::string joined;
  for (const std::string& wire : wires) joined += wire;
  EXPECT_EQ(joined, octets);
  EXPECT_FALSE(scanner.error());
  EXPECT_FALSE(scanner.finish());
}

TEST(Xml, AStanzaInheritsTheNamespacesOfTheStream) {
  const std::string octets = in_stream("<stream:features><x/></stream:features>");
  Scanner scanner(Limits{});
  scanner.feed(octets);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(scanner.next());
  const std::optional<Item> item = scanner.next();
  ASSERT_TRUE(item);
  EXPECT_TRUE(item->element.is("features", "http://etherx.jabber.org/streams"));
  EXPECT_EQ(item->element.qualified_name(), "stream:features");
  EXPECT_TRUE(item->element.first_child().is("x", "jabber:client"));
}

TEST(Xml, TheOpeningTagIsAnElementWithoutChildren) {
  Scanner scanner(Limits{});
  scanner.feed(kHeader);
  ASSERT_EQ(scanner.next()->kind, Item::Kind::declaration);
  const std::optional<Item> item = scanner.next();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->kind, Item::Kind::open);
  EXPECT_TRUE(item->element.is("stream", "http://etherx.jabber.org/streams"));
  EXPECT_EQ(item->element.attribute("to"), "im.test");
  EXPECT_EQ(item->element.attribute_count(), 2U);
  EXPECT_TRUE(item->element.nodes().empty());
  EXPECT_EQ(item->element.source(), item->wire);
  EXPECT_TRUE(scanner.finish()) << "a stream without its closing tag is not complete";
}

class Stanza : public ::testing::Test {
 protected:
  // The tree of one stanza in a usual stream.
  Element read(std::string_view stanza) {
    scanner_.feed(kHeader);
    while (scanner_.next()) {
    }
    octets_ = stanza;
    scanner_.feed(octets_);
    const std::optional<Item> item = scanner_.next();
    EXPECT_FALSE(scanner_.error()) << scanner_.error().message();
    return item ? item->element : Element{};
  }
  std::string_view cut(Span span) const { return std::string_view(octets_).substr(span.begin, span.size()); }

  Scanner scanner_{Limits{}};
  std::string octets_;
};

TEST_F(Stanza, ElementsKnowWhereTheyStand) {
  const Element root = read("<message ><body xml:lang = 'en'>a<b/>c</body ></message>");
  const Element body = root.child("body", "jabber:client");
  EXPECT_EQ(root.source(), octets_);
  EXPECT_EQ(cut(root.open_tag()), "<message >");
  EXPECT_EQ(cut(body.wire()), "<body xml:lang = 'en'>a<b/>c</body >");
  EXPECT_EQ(cut(body.inner()), "a<b/>c");
  EXPECT_EQ(cut(body.first_child().wire()), "<b/>");
  EXPECT_TRUE(body.first_child().is_empty_tag());
  EXPECT_EQ(body.first_child().inner().size(), 0U);
  EXPECT_FALSE(body.is_empty_tag());
  EXPECT_TRUE(body.parent().is("message", "jabber:client"));
  EXPECT_FALSE(root.parent());
}

TEST_F(Stanza, AttributesKnowWhereTheyStand) {
  const Element root = read("<iq a = \"1&amp;2\"\tp:b='\"' xmlns:p='urn:p'/>");
  EXPECT_EQ(root.attribute_count(), 2U);
  const Attribute a = root.find_attribute("a");
  EXPECT_EQ(a.value(), "1&2");
  EXPECT_EQ(cut(a.wire()), "a = \"1&amp;2\"");
  EXPECT_EQ(cut(a.value_wire()), "1&amp;2");
  EXPECT_EQ(root.attribute("b", "urn:p"), "\"");
  EXPECT_EQ(cut(root.find_attribute("b", "urn:p").wire()), "p:b='\"'");
  EXPECT_FALSE(root.find_attribute("b")) << "an attribute with a prefix is not one without";
  EXPECT_FALSE(root.find_attribute("xmlns"));
  EXPECT_FALSE(root.attribute_at(2));
}

TEST_F(Stanza, RunsOfTextKnowWhereTheyStand) {
  const Element root = read("<m>one &lt; <i>two</i>three<![CDATA[<four>]]>&#x20AC;</m>");
  std::vector<std::string> texts;
  std::vector<std::string_view> wires;
  for (const Node node : root.nodes()) {
    if (node.is_element()) continue;
    texts.emplace_back(node.text().text());
    wires.push_back(cut(node.text().wire()));
  }
  EXPECT_THAT(texts, ::testing::ElementsAre("one < ", "three", "<four>", "\u20ac"));
  EXPECT_THAT(wires, ::testing::ElementsAre("one &lt; ", "three", "<![CDATA[<four>]]>", "&#x20AC;"));
  EXPECT_EQ(root.text(), "one < three<four>\u20ac");
}

TEST_F(Stanza, AnsweringForWhatIsNotThereIsEmpty) {
  const Element nothing = read("<m/>").child("a", "b").child("c", "d");
  EXPECT_FALSE(nothing);
  EXPECT_FALSE(nothing.is("", ""));
  EXPECT_EQ(nothing.name(), "");
  EXPECT_EQ(nothing.ns(), "");
  EXPECT_EQ(nothing.qualified_name(), "");
  EXPECT_EQ(nothing.attribute("x"), "");
  EXPECT_EQ(nothing.text(), "");
  EXPECT_EQ(nothing.language(), "");
  EXPECT_EQ(nothing.source(), "");
  EXPECT_TRUE(nothing.children().empty());
  EXPECT_FALSE(nothing.parent());
  EXPECT_FALSE(nothing.first_child());
}

TEST_F(Stanza, LanguageIsThatOfTheNearestElementAround) {
  const Element root = read("<m xml:lang='de'><a><b/></a><a xml:lang='en'><b/></a><a xml:lang=''/></m>");
  std::vector<std::string_view> languages;
  for (const Element a : root.children())
    languages.push_back(a.first_child() ? a.first_child().language() : a.language());
  EXPECT_THAT(languages, ::testing::ElementsAre("de", "en", ""));
}

TEST_F(Stanza, ChildrenLeaveTextOutAndKeepTheOrder) {
  const Element root = read("<m>x<a><z/></a>y<b/><a/>z</m>");
  std::string names;
  for (const Element child : root.children()) names += child.name();
  EXPECT_EQ(names, "aba");
}

TEST_F(Stanza, WhiteSpaceInValuesAndEndsOfLinesAreNormalised) {
  const Element root = read("<m a='1\t2\n3\r\n4\r5&#10;&#9;'>a\r\nb\rc\nd&#13;<![CDATA[e\r\nf\r]]></m>");
  EXPECT_EQ(root.attribute("a"), "1 2 3 4 5\n\t");
  EXPECT_EQ(root.text(), "a\nb\nc\nd\re\nf\n");
}

TEST_F(Stanza, NamespacesEndWithTheirElement) {
  const Element root = read("<m><x xmlns='urn:x'><y xmlns=''/><z/></x><w/></m>");
  const Element x = root.child("x", "urn:x");
  EXPECT_TRUE(x.child("y", ""));
  EXPECT_TRUE(x.child("z", "urn:x"));
  EXPECT_TRUE(root.child("w", "jabber:client"));
}

TEST_F(Stanza, CanBeParsedAgainLater) {
  const std::string copy(read("<message><stream:x/><body>&lt;</body></message>").source());
  Tree tree;
  EXPECT_FALSE(scanner_.parse(copy, tree));
  EXPECT_TRUE(tree.root().child("x", "http://etherx.jabber.org/streams"));
  EXPECT_EQ(tree.root().child("body", "jabber:client").text(), "<");
  for (const std::string_view bad : {"", "<", "<a>", "<a/> ", "<a/><b/>", " <a/>", "</a>", "a", "<a></b>"})
    EXPECT_TRUE(scanner_.parse(bad, tree)) << bad;
  const std::string large = "<a>" + std::string(Limits{}.unit_size_max, 'x') + "</a>";
  EXPECT_EQ(scanner_.parse(large, tree), CodecError::too_large);
}

// --- what is accepted and what is not --------------------------------------------------------------------------------

// Each also goes through expat, in chunks of every kind.
void judge(std::string_view octets, std::optional<CodecError> expected, bool expat_agrees = true) {
  const oracle::Outcome whole = oracle::scan(octets, Limits{});
  if (expected)
    EXPECT_EQ(whole.error, *expected) << octets;
  else
    EXPECT_FALSE(whole.error) << octets << ": " << whole.error.message();
  EXPECT_TRUE(whole.same_as(oracle::scan(octets, Limits{}, oracle::Cut::bytewise))) << octets;
  for (std::uint64_t seed = 0; seed < 4; ++seed)
    EXPECT_TRUE(whole.same_as(oracle::scan(octets, Limits{}, oracle::Cut::random, seed))) << octets << " seed " << seed;
  const oracle::Outcome theirs = oracle::Expat::parse(octets);
  if (!expat_agrees) return;
  EXPECT_EQ(whole.complete, theirs.complete) << octets;
  if (whole.complete) {
    EXPECT_EQ(whole.events, theirs.events) << octets;
  }
}

TEST(Xml, AcceptsWhatIsWellFormed) {
  for (const std::string_view content : {
           "",
           "\r\n\t ",
           "<a/>",
           "<a />",
           "<a\n\t/>",
           "<a></a>",
           "<a></a\n>",
           "<a b=''/>",
           "<a b='\"' c=\"'\"/>",
           "<a b\n=\t'>'/>",
           "<a b='&lt;&gt;&amp;&quot;&apos;'/>",
           "<a>&lt;&gt;&amp;&quot;&apos;</a>",
           "<a>></a>",
           "<a>]]</a>",
           "<a>]] ></a>",
           "<a>]]&gt;</a>",
           "<a b=']]>'/>",
           "<a>&#0000000000000000000065;&#x41;</a>",
           "<a>&#x10FFFF;&#xD7FF;&#xE000;&#xFFFD;&#9;</a>",
           "<a><![CDATA[]]></a>",
           "<a><![CDATA[<&]]]]></a>",
           "<a><![CDATA[]]]]><![CDATA[>]]></a>",
           "<a><![CDATA[&#0;]]></a>",
           "<_a-b.c9/>",
           "<a>\x7f</a>",
           "<a>\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80</a>",
           "<a b='\xc3\xa4\xf0\x9f\x98\x80'/>",
           "<\xc3\xa4/>",
           "<a \xc3\xa4=''/>",
           "<p:a xmlns:p='u'/>",
           "<a xmlns:p='u' xmlns:q='v' p:x='' q:x='' x=''/>",
           "<a xmlns='u'><b xmlns=''/></a>",
           "<a xml:lang='en' xml:space='x'/>",
           "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
           "<xml:a/>",
           "<a xmlns:p='u'><p:b xmlns:p='v'/></a>",
           "<a xmlns:p='u&amp;v' p:b=''/>",
           "<a xmlns='&lt;'/>",
           "<a>\r</a>",
           "<a b='\r\r\n\n'/>",
           "<xmlfoo/>",
           "<a><a><a/><a></a></a></a>",
       })
    judge(in_stream(content), std::nullopt);
}

TEST(Xml, RefusesWhatIsNotWellFormed) {
  for (const std::string_view content : {
           "<a></b>",
           "<a><b></a></b>",
           "<a></ a>",
           "<a></a b>",
           "<ab></a>",
           "<a></ab>",
           "<a b/>",
           "<a b=/>",
           "<a b=c/>",
           "<a b='c/>",
           "<a b='<'/>",
           "<a b='&'/>",
           "<a b='&amp'/>",
           "<a b='' b=''/>",
           "<a b=''c=''/>",
           "<a / >",
           "<a/ >",
           "< a/>",
           "<1/>",
           "<-a/>",
           "<.a/>",
           "<a 1=''/>",
           "<a =''/>",
           "<>",
           "</>",
           "<a><",
           "<a",
           "<a>&</a>",
           "<a>&amp</a>",
           "<a>&;</a>",
           "<a>&#;</a>",
           "<a>&#x;</a>",
           "<a>&#X41;</a>",
           "<a>&#xG;</a>",
           "<a>&#0;</a>",
           "<a>&#8;</a>",
           "<a>&#x1F;</a>",
           "<a>&#xD800;</a>",
           "<a>&#xFFFE;</a>",
           "<a>&#xFFFF;</a>",
           "<a>&#x110000;</a>",
           "<a>&#4294967361;</a>",
           "<a>&# 65;</a>",
           "<a>& lt;</a>",
           "<a>]]></a>",
           "<a>x]]]></a>",
           "<a><![cdata[]]></a>",
           "<a><![CDAT[]]></a>",
           "<a><![ CDATA[]]></a>",
           "<a><![INCLUDE[]]></a>",
           "<a>\x01</a>",
           "<a>\x1f</a>",
           "<a b='\x02'/>",
           "<a><![CDATA[\x03]]></a>",
           "<a>\xef\xbf\xbe</a>",
           "<a>\xef\xbf\xbf</a>",
           "<a \x01='x'/>",
           "<\xc3\x97/>",
           "<a'/>",
           "<a\"b='c'/>",
           // Namespaces
           "<p:a/>",
           "<a p:b=''/>",
           "<a:/>",
           "<:a/>",
           "<a:b:c xmlns:a='u'/>",
           "<stream:1/>",
           "<a xmlns:p=''/>",
           "<a xmlns:p='u' xmlns:p='u'/>",
           "<a xmlns='u' xmlns='u'/>",
           "<a xmlns:p='u' xmlns:q='u' p:x='' q:x=''/>",
           "<a xmlns:p='u' p:x='' p:x=''/>",
           "<a xmlns:xmlns='u'/>",
           "<xmlns:a/>",
           "<a xmlns:xml='u'/>",
           "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
           "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
           "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
           "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
           "<a><b xmlns:p='u'/><p:c/></a>",
           "<a xmlns:='u'/>",
           "<a stream:x='' xmlns:stream=''/>",
       })
    judge(in_stream(content), CodecError::malformed);
}

TEST(Xml, AStreamCutShortIsNotComplete) {
  const std::string octets = in_stream("<a b='c'>d&amp;<![CDATA[e]]f]]>\xc3\xa4</a> ");
  for (std::size_t size = 0; size < octets.size(); ++size) {
    const oracle::Outcome outcome = oracle::scan(std::string_view(octets).substr(0, size), Limits{});
    EXPECT_FALSE(outcome.error) << size;
    EXPECT_FALSE(outcome.complete) << size;
  }
  judge(in_stream("<a><![CDATA[x]]</a>"), std::nullopt);
}

TEST(Xml, RefusesWhatIsNotUtf8) {
  for (const std::string_view octets :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe",
        "\xc3\xc3", "\xf0\x9f\x98"}) {
    judge(in_stream("<a>" + std::string(octets) + "</a>"), CodecError::not_utf8);
    judge(in_stream("<a b='" + std::string(octets) + "'/>"), CodecError::not_utf8);
    judge(in_stream("<a><![CDATA[" + std::string(octets) + "]]></a>"), CodecError::not_utf8);
    judge(in_stream("<a" + std::string(octets) + "/>"), CodecError::not_utf8);
  }
}

// RFC 6120 §11.1.
TEST(Xml, RefusesWhatXmppForbids) {
  for (const std::string_view content :
       {"<!---->", "<!-- c -->", "<a><!-- c --></a>", "<?pi?>", "<a><?pi x?></a>", "<?xml version='1.0'?>",
        "<a><?xml version='1.0'?></a>", "<!DOCTYPE a>", "<a><!DOCTYPE a></a>", "<!ENTITY a 'b'>", "<a>&unknown;</a>",
        "<a b='&unknown;'/>", "<!>"})
    judge(in_stream(content), CodecError::restricted, false);
  judge("<!DOCTYPE s [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><s>&b;</s>", CodecError::restricted, false);
  judge("<!-- c --><s></s>", CodecError::restricted, false);
  judge("<?pi?><s></s>", CodecError::restricted, false);
  judge("<?xml-stylesheet href='x'?><s></s>", CodecError::restricted, false);
  judge("<s/>", CodecError::restricted, false);
}

TEST(Xml, TakesOnlyWhiteSpaceBetweenStanzas) {
  judge(in_stream("x"), CodecError::out_of_order, false);
  judge(in_stream("&#32;"), CodecError::out_of_order, false);
  judge(in_stream("<![CDATA[]]>"), CodecError::out_of_order, false);
  judge(in_stream("<a/>.<b/>"), CodecError::out_of_order, false);
}

TEST(Xml, TakesOnlyWhiteSpaceBehindTheStream) {
  judge(in_stream("<a/>") + " \r\n", std::nullopt);
  judge(in_stream("<a/>") + "x", CodecError::after_end);
  judge(in_stream("<a/>") + "<b/>", CodecError::after_end);
  judge(in_stream("<a/>") + "</stream:stream>", CodecError::after_end);
  judge(in_stream("<a/>") + "<!-- c -->", CodecError::after_end, false);
}

TEST(Xml, TheClosingTagIsTheOpeningTags) {
  const std::string open = "<s:s xmlns:s='u'>";
  judge(open + "</s:s \t\n>", std::nullopt);
  for (const std::string_view close : {"</s>", "</s:t>", "</s:ss>", "</ s:s>", "</s:s x>", "</s:s<", "</s:s/>", "</>"})
    judge(open + std::string(close), CodecError::malformed);
}

TEST(Xml, TheDeclarationIsCheckedAndComesFirst) {
  for (const std::string_view good :
       {"<?xml version='1.0'?>", "<?xml version=\"1.0\" encoding='UTF-8'?>", "<?xml version='1.0' encoding='utf-8' ?>",
        "<?xml\n version = '1.1'\tstandalone='yes'?>", "<?xml version='1.0' encoding='Utf-8' standalone='no'?>", "",
        " "})
    judge(std::string(good) + "<s></s>", std::nullopt, good.find("1.1") == std::string_view::npos);
  for (const std::string_view bad :
       {"<?xml ?>", "<?xml version='1.0'encoding='UTF-8'?>", "<?xml encoding='UTF-8'?>", "<?xml version='2.0'?>",
        "<?xml version='1.'?>", "<?xml version='1.0' standalone='maybe'?>", "<?xml version='1.0' encoding=''?>",
        "<?xml version='1.0' standalone='yes' encoding='UTF-8'?>", "<?xml version=1.0?>", "<?xml version='1.0\"?>",
        "<?xml version='1.0' x='y'?>", "<?xml version='1.0' encoding='-utf'?>", "x", "\xef\xbb\xbf", "&#32;", "</s>"})
    judge(std::string(bad) + "<s></s>", CodecError::malformed, false);
  for (const std::string_view other :
       {"<?xml version='1.0' encoding='UTF-16'?>", "<?xml version='1.0' encoding='l1'?>", " <?xml version='1.0'?>",
        "<?xml version='1.0'?><?xml version='1.0'?>", "<?xml?>"})
    judge(std::string(other) + "<s></s>", CodecError::restricted, false);
  judge("<?xml version='1.0'" + std::string(300, ' ') + "?><s></s>", CodecError::too_large, false);
}

// --- limits, errors, memory ------------------------------------------------------------------------------------------

TEST(Xml, PiecesBeforeAnErrorComeFirstAndTheErrorStays) {
  for (const oracle::Cut cut : {oracle::Cut::whole, oracle::Cut::bytewise}) {
    const oracle::Outcome outcome = oracle::scan(in_stream("<a/><b/><c></d><e/>"), Limits{}, cut);
    EXPECT_EQ(outcome.error, CodecError::malformed);
    EXPECT_TRUE(outcome.pieces.ends_with("2<a/>\n2<b/>\n")) << outcome.pieces;
  }
  Scanner scanner(Limits{});
  scanner.feed("<<");
  EXPECT_FALSE(scanner.next());
  EXPECT_EQ(scanner.error(), CodecError::malformed);
  scanner.feed("<s></s>");
  EXPECT_FALSE(scanner.next());
  EXPECT_EQ(scanner.error(), CodecError::malformed);
  EXPECT_EQ(scanner.finish(), CodecError::malformed);
}

TEST(Xml, ALimitIsReachedButNotPassed) {
  Limits limits;
  limits.unit_size_max = 128;
  limits.depth_max = 3;
  limits.attributes_max = 2;
  const auto error_of = [&](std::string_view content) {
    const oracle::Outcome whole = oracle::scan("<s>" + std::string(content) + "</s>", limits);
    EXPECT_TRUE(whole.same_as(oracle::scan("<s>" + std::string(content) + "</s>", limits, oracle::Cut::bytewise)));
    return whole.error;
  };
  EXPECT_FALSE(error_of("<a>" + std::string(128 - 7, 'x') + "</a>"));
  EXPECT_EQ(error_of("<a>" + std::string(129 - 7, 'x') + "</a>"), CodecError::too_large);
  EXPECT_EQ(error_of("<a>" + std::string(500, 'x') + "\x01"), CodecError::too_large);
  EXPECT_EQ(error_of("<a b='" + std::string(500, 'x') + "'/>"), CodecError::too_large);
  EXPECT_EQ(error_of("<a" + std::string(500, ' ')), CodecError::too_large);
  EXPECT_EQ(error_of("<a><![CDATA[" + std::string(500, ' ')), CodecError::too_large);
  EXPECT_EQ(error_of("</s" + std::string(500, ' ')), CodecError::too_large);
  EXPECT_FALSE(error_of("<a><a><a/></a></a>"));
  EXPECT_EQ(error_of("<a><a><a><a/></a></a></a>"), CodecError::too_deep);
  EXPECT_FALSE(error_of("<a b='' c=''/>"));
  EXPECT_FALSE(error_of("<a b='' xmlns=''/>"));
  EXPECT_EQ(error_of("<a b='' c='' d=''/>"), CodecError::too_many);
  EXPECT_EQ(error_of("<a b='' c='' xmlns:d='u'/>"), CodecError::too_many);
}

TEST(Xml, PrefixesInScopeAreBounded) {
  std::string octets = "<s>";
  for (int i = 0; i < 5; ++i) {
    octets += "<a";
    for (int j = 0; j < 60; ++j) octets += " xmlns:p" + std::to_string(i) + "_" + std::to_string(j) + "='u'";
    octets += ">";
  }
  EXPECT_EQ(oracle::scan(octets, Limits{}).error, CodecError::too_many);
}

TEST(Xml, AStanzaWithoutEndStaysBounded) {
  const std::string chunk(16'384, 'x');
  for (const std::string_view begin : {"<a>", "<a b='", "<", "<a ", "<a><![CDATA["}) {
    Scanner scanner(Limits{});
    scanner.feed(kHeader);
    while (scanner.next()) {
    }
    scanner.feed(begin);
    EXPECT_FALSE(scanner.next());
    for (std::size_t fed = 0; fed < 100'000'000; fed += chunk.size()) {
      scanner.feed(chunk);
      EXPECT_FALSE(scanner.next());
      ASSERT_LT(scanner.memory(), 3U * Limits{}.unit_size_max);
    }
    EXPECT_EQ(scanner.error(), CodecError::too_large);
    EXPECT_LT(scanner.memory(), 1024U) << "after an error nothing is kept";
  }
}

TEST(Xml, AStanzaOfManyElementsStaysBounded) {
  std::string chunk;
  while (chunk.size() < 8192) chunk += "<a/>&#65;";
  Scanner scanner(Limits{});
  scanner.feed(kHeader);
  while (scanner.next()) {
  }
  scanner.feed("<x>");
  while (!scanner.error()) {
    EXPECT_FALSE(scanner.next());
    scanner.feed(chunk);
    ASSERT_LT(scanner.memory(), 40U * Limits{}.unit_size_max);
  }
  EXPECT_EQ(scanner.error(), CodecError::too_large);
}

TEST(Xml, DeepNestingIsRefusedWithoutRecursion) {
  std::string octets = "<s>";
  for (int i = 0; i < 50'000; ++i) octets += "<a>";
  EXPECT_EQ(oracle::scan(octets, Limits{}).error, CodecError::too_deep);
}

TEST(Xml, AnIdleScannerHoldsLessThanAKibibyte) {
  Scanner scanner(Limits{});
  const std::string octets =
      std::string(kHeader) + "<message><body>" + std::string(5000, 'x') + "&amp;</body></message>";
  for (const char octet : octets) {
    scanner.feed({&octet, 1});
    while (scanner.next()) {
    }
  }
  EXPECT_FALSE(scanner.midway());
  EXPECT_LT(scanner.memory(), 1024U);
  scanner.feed("<a");
  EXPECT_FALSE(scanner.next());
  EXPECT_TRUE(scanner.midway());
}

// --- a stream after a stream -----------------------------------------------------------------------------------------

TEST(Xml, ARestartedStreamBeginsAnew) {
  const std::string octets = "<s xmlns:p='u'><p:a/> <?xml version='1.0'?><t:t xmlns:t='v'><p:b/>";
  Scanner scanner(Limits{});
  scanner.feed(octets);
  ASSERT_EQ(scanner.next()->kind, Item::Kind::open);
  ASSERT_EQ(scanner.next()->kind, Item::Kind::stanza);
  scanner.restart();
  EXPECT_EQ(scanner.next()->kind, Item::Kind::space);
  EXPECT_EQ(scanner.next()->kind, Item::Kind::declaration);
  EXPECT_EQ(scanner.next()->element.ns(), "v");
  EXPECT_FALSE(scanner.next());
  EXPECT_EQ(scanner.error(), CodecError::malformed) << "the first stream's prefix is not known in the second";
}

TEST(Xml, OctetsSentAheadOfTlsAreForgotten) {
  const std::string octets = "<s><starttls/><iq>injec";
  Scanner scanner(Limits{});
  scanner.feed(octets);
  ASSERT_TRUE(scanner.next());
  ASSERT_TRUE(scanner.next());
  scanner.discard_and_restart();
  EXPECT_FALSE(scanner.next());
  EXPECT_FALSE(scanner.midway());
  scanner.feed("<t>");
  EXPECT_EQ(scanner.next()->element.name(), "t");
}

}  // namespace
}  // namespace chancery::xml
