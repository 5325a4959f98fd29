// SPDX-License-Identifier: Apache-2.0
#include "document/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::document {
namespace {

using ::testing::HasSubstr;

std::vector<Document> read(std::string_view text) {
  auto documents = read_documents(text, "web.yaml");
  EXPECT_TRUE(documents) << documents.error().message;
  return documents ? *documents : std::vector<Document>{};
}

std::string error_of(std::string_view text) {
  const auto documents = read_documents(text, "web.yaml");
  EXPECT_FALSE(documents);
  return documents ? "" : documents.error().message;
}

TEST(Document, ReadsYamlDocumentsWithLines) {
  const auto documents = read(
      "# two\n"
      "apiVersion: v1\n"
      "kind: Service\n"
      "metadata:\n"
      "  name: web\n"
      "  namespace: shop\n"
      "---\n"
      "---\n"
      "apiVersion: apps/v1\n"
      "kind: Deployment\n"
      "metadata: {name: web}\n"
      "spec:\n"
      "  replicas: 3\n"
      "  template:\n");
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(documents[0].name.to_string(), "shop/web");
  EXPECT_EQ(documents[0].line, 2);
  EXPECT_EQ(documents[0].line_of("/metadata/namespace"), 6);
  EXPECT_EQ(documents[1].kind, "Deployment");
  EXPECT_EQ(documents[1].api_version, "apps/v1");
  EXPECT_EQ(documents[1].name.to_string(), "web");
  EXPECT_EQ(documents[1].value["spec"]["replicas"], 3);
  EXPECT_EQ(documents[1].line_of("/spec/replicas"), 13);
  EXPECT_EQ(documents[1].line_of("/spec/template"), 14);
  EXPECT_EQ(documents[1].line_of("/spec/selector/matchLabels"), 12);  // the nearest that is there
}

TEST(Document, YamlScalarsBecomeJsonAsTheApisClientsDoIt) {
  const auto documents = read(
      "apiVersion: v1\nkind: K\nmetadata: {name: n}\n"
      "v: [80, \"80\", -1, 0x10, 0644, 0.5, 1e3, true, \"true\", yes, null, ~, , 1.2.3.4, "
      "10.0.0.0/8,"
      " .inf, 18446744073709551615, 1.5.2, -, !!str 7, 08]\n");
  const auto expected = nlohmann::json::parse(
      R"([80,"80",-1,16,420,0.5,1000.0,true,"true","yes",null,null,null,"1.2.3.4","10.0.0.0/8",)"
      R"(".inf",18446744073709551615,"1.5.2","-","7",8.0])");
  ASSERT_EQ(documents.size(), 1U);
  EXPECT_EQ(documents[0].value["v"], expected) << documents[0].value["v"];
}

TEST(Document, YamlAnchorsAndMergeKeys) {
  const auto documents = read(
      "apiVersion: v1\nkind: K\n"
      "metadata: &meta {name: n, labels: {a: b}}\n"
      "other: {<<: *meta, name: m}\n"
      "more: {<<: [{a: 1}, *meta, {a: 2, labels: 3}], <<: {a: 4, b: 5}, name: }\n"
      "&key k: [&eighty 80, *eighty]\n"
      "y: {*key : *key}\n");
  ASSERT_EQ(documents.size(), 1U);
  const nlohmann::json& value = documents[0].value;
  EXPECT_EQ(value["other"], nlohmann::json::parse(R"({"name": "m", "labels": {"a": "b"}})"));
  EXPECT_EQ(value["more"],
            nlohmann::json::parse(R"({"name": null, "labels": {"a": "b"}, "a": 1, "b": 5})"));
  EXPECT_EQ(value["k"], (nlohmann::json{80, 80}));
  EXPECT_EQ(value["y"], (nlohmann::json{{"k", "k"}}));
  EXPECT_EQ(documents[0].line_of("/other/labels/a"), 4);
  EXPECT_EQ(documents[0].line_of("/k/1"), 6);
}

TEST(Document, ReadsAJsonObjectAListAndAnArray) {
  const std::string item =
      "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\n\"metadata\":{\"name\":\"p\",\n"
      "\"labels\":{\"a/b\":\"c\"}}}";
  const auto one = read(item);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].line_of("/metadata/labels"), 3);
  EXPECT_EQ(one[0].line_of("/metadata/labels/a~1b"), 3);

  const auto array = read(" [" + item + ",\n" + item + "]");
  ASSERT_EQ(array.size(), 2U);
  EXPECT_EQ(array[1].line, 4);
  EXPECT_EQ(array[1].line_of("/metadata/labels"), 6);

  const auto list =
      read("{\"apiVersion\":\"v1\",\"kind\":\"List\",\n\"items\":[" + item + ",\n" + item + "]}");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].line_of("/metadata/name"), 3);
  EXPECT_EQ(list[1].line, 5);
}

TEST(Document, AFieldNamedItemsIsNoList) {
  const auto documents =
      read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n}\nitems: [{key: a}]\n");
  ASSERT_EQ(documents.size(), 1U);
  EXPECT_EQ(documents[0].kind, "ConfigMap");
}

TEST(Document, KnowsFlowStyleFromJson) {
  EXPECT_TRUE(is_json(" \n{\"a\": 1}"));
  EXPECT_TRUE(is_json("[ {\"a\": 1}]"));
  EXPECT_TRUE(is_json("{}"));
  EXPECT_FALSE(is_json("{apiVersion: v1}"));
  EXPECT_FALSE(is_json("[{kind: Pod}]"));
  EXPECT_FALSE(is_json("apiVersion: {\"a\": 1}"));
  EXPECT_FALSE(is_json(""));
}

TEST(Document, EmptyTextHasNoDocuments) {
  EXPECT_TRUE(read("").empty());
  EXPECT_TRUE(read("# nothing\n---\n").empty());
  EXPECT_TRUE(read("[]").empty());
}

TEST(Document, ErrorsSayFileLineAndField) {
  EXPECT_EQ(error_of("kind: Pod\nmetadata: {name: a}\n"),
            "web.yaml:1: Pod: apiVersion: is missing");
  EXPECT_EQ(error_of("apiVersion: v1\nmetadata: {name: a}\n"), "web.yaml:1: kind: is missing");
  EXPECT_EQ(error_of("apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {}\n"),
            "web.yaml:3: Pod: metadata.name: is missing");
  EXPECT_EQ(error_of("apiVersion: v1\nkind: Pod\nmetadata:\n  name: 7\n"),
            "web.yaml:4: Pod: metadata.name: must be a string, not 7");
  EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"), "web.yaml:3: a is given twice");
  EXPECT_EQ(error_of("--- hello\n"), "web.yaml:1: is no object: \"hello\"");
  EXPECT_THAT(error_of("a: [1\nb: 2\n"), HasSubstr("web.yaml:2: "));
  EXPECT_THAT(error_of("{\"a\": 1,\n \"b\" 2}"), HasSubstr("web.yaml:2: column "));
  EXPECT_THAT(error_of("a: &x\n  b: *x\n"),
              HasSubstr("2: an alias stands for what it is in itself"));
  for (const char* text : {",", "\n]", "a: 1\n---\n,", ",\"x", "a: 1\n...\n}"})
    EXPECT_THAT(error_of(text), ::testing::StartsWith("web.yaml:")) << text;
}

TEST(Document, ANumberThatIsTooLargeIsNamed) {
  EXPECT_EQ(error_of("{\"apiVersion\": \"v1\",\n\"spec\": [{}, {\"a\": [1,\n1e999]}]}"),
            "web.yaml:3: spec[1].a[1]: 1e999 is too large a number");
  EXPECT_EQ(error_of("[\"a\", -1e999]"), "web.yaml:1: [1]: -1e999 is too large a number");
  EXPECT_EQ(error_of("{\"a\":\n18446744073709551616\n}"),  // simdjson has none either
            "web.yaml:2: a: 18446744073709551616 is too large a number");
}

TEST(Document, TextThatIsNotUtf8IsNamed) {
  EXPECT_EQ(error_of("a: 1\nb:\n- {c: caf\xe9}\n"),
            "web.yaml:3: b[0].c: is not UTF-8: \"caf\uFFFD\"");
  EXPECT_EQ(error_of("a:\n  caf\xe9: 1\n"), "web.yaml:2: a: is not UTF-8: \"caf\uFFFD\"");
  EXPECT_EQ(error_of("--- caf\xe9\n"), "web.yaml:1: is not UTF-8: \"caf\uFFFD\"");
  EXPECT_EQ(error_of("{\"a\": 1,\n\"b\": {\"c\": \"caf\xe9\"}}"),
            "web.yaml:2: b.c: is not UTF-8: \"caf\uFFFD\"");
  EXPECT_EQ(error_of("{\"a\": {\"b\": 1,\n\"caf\xe9\": 2}}"),
            "web.yaml:2: a: is not UTF-8: \"caf\uFFFD\"");
}

TEST(Document, AValueIsShownOnOneLineAndCutBetweenCharacters) {
  EXPECT_EQ(shown({{"a", {1, "b"}}}), R"({"a":[1,"b"]})");
  EXPECT_EQ(shown("caf\xe9"), "\"caf\uFFFD\"");
  const std::string wide =
      "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9";  // 20 bytes
  EXPECT_EQ(shown(wide + wide + wide), "\"" + wide + wide + wide.substr(2) + "…");
}

TEST(Document, AliasesMayNotGrowWithoutBound) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias;
    for (int more = 1; more < 10; ++more) text += ", " + alias;
    text += "]\n";
  }
  EXPECT_THAT(error_of(text), HasSubstr("aliases make too much of this document"));
  const std::string block(50'000, 'x');
  EXPECT_THAT(error_of("a: &a " + block + "\nb: [*a, *a, *a, *a, *a, *a, *a, *a]\n"),
              HasSubstr("aliases make too much of this document"));
  EXPECT_THAT(error_of("a: &a {? " + block + " : 1}\nb: [*a, *a, *a, *a, *a, *a, *a, *a]\n"),
              HasSubstr("aliases make too much of this document"));
}

TEST(Document, ALongFieldNameIsToldAsWhatEnclosesIt) {
  const std::string name(2000, 'k');
  const std::string head = "{\"apiVersion\":\"v1\",\"kind\":\"K\",\"metadata\":{\"name\":\"n\"},\n";
  const auto documents = read(head + "\"spec\":\n{\"" + name + "\":\n[1,\n2]}}");
  ASSERT_EQ(documents.size(), 1U);
  EXPECT_EQ(documents[0].value["spec"][name], (nlohmann::json{1, 2}));
  EXPECT_EQ(documents[0].line_of(field_pointer("/spec", name)), 3);
  EXPECT_THAT(error_of(head + "\"spec\":\n{\"" + name + "\":\n1e999}}"),
              ::testing::EndsWith("web.yaml:4: spec: 1e999 is too large a number"));
}

TEST(Document, YamlHasALargestSize) {
  EXPECT_EQ(error_of("# " + std::string(17U << 20, 'x')),
            "web.yaml: is larger than 16 MiB, the most for YAML; JSON may have more");
}

TEST(Document, FailAtNamesTheField) {
  const auto documents = read(
      "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"
      "spec:\n  ports:\n  - name: a\n    port: 80\n");
  ASSERT_EQ(documents.size(), 1U);
  EXPECT_EQ(fail_at(documents[0], "/spec/ports/0/port", "is wrong").value().message,
            "web.yaml:7: Service default/web: spec.ports[0].port: is wrong");
}

TEST(FieldPath, ReadsAsPeopleWriteIt) {
  EXPECT_EQ(field_path(""), "");
  EXPECT_EQ(field_path("/spec/ports/0/port"), "spec.ports[0].port");
  EXPECT_EQ(field_path(field_pointer("/metadata/labels", "a.b/c~d")), "metadata.labels.a.b/c~d");
}

}  // namespace
}  // namespace weft::document
