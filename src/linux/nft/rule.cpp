// SPDX-License-Identifier: Apache-2.0
// Rules as the kernel reads them back: compared with ours, attribute by attribute.
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <optional>

#include "linux/nft/expression.h"

namespace weft::nft {

namespace {

using netlink::Attribute;
using netlink::Attributes;

std::optional<Attribute> find(Attributes attributes, std::uint16_t type) {
  for (const Attribute attribute : attributes)
    if (attribute.type() == type) return attribute;
  return std::nullopt;
}

bool equal(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// An attribute that says nothing: the kernel adds flags and offsets that were never set.
bool is_zero(const Attribute& attribute) {
  const Bytes payload = attribute.payload();
  return std::all_of(payload.begin(), payload.end(), [](std::uint8_t byte) { return byte == 0; });
}

// Verdicts are compared by their parts: the kernel leaves out the flag NLA_F_NESTED.
bool same_data(Attributes ours, Attributes actual) {
  const auto verdict = find(ours, NFTA_DATA_VERDICT);
  const auto other = find(actual, NFTA_DATA_VERDICT);
  if (!verdict || !other) {
    const auto value = find(ours, NFTA_DATA_VALUE);
    const auto other_value = find(actual, NFTA_DATA_VALUE);
    return value && other_value && equal(value->payload(), other_value->payload());
  }
  const auto text = [](const Attribute& nest) {
    const auto chain = find(nested(nest), NFTA_VERDICT_CHAIN);
    return chain ? chain->text() : std::string_view();
  };
  const auto code = [](const Attribute& nest) {
    const auto number = find(nested(nest), NFTA_VERDICT_CODE);
    return number ? number->be32() : 0;
  };
  return code(*verdict) == code(*other) && text(*verdict) == text(*other);
}

bool holds_data(std::string_view name, std::uint16_t type) {
  return (name == "immediate" && type == NFTA_IMMEDIATE_DATA) ||
         (name == "cmp" && type == NFTA_CMP_DATA) ||
         (name == "bitwise" && (type == NFTA_BITWISE_MASK || type == NFTA_BITWISE_XOR));
}

// Register 0 is the verdict register: there, zero says something.
bool may_be_added(std::string_view name, const Attribute& attribute) {
  return is_zero(attribute) && !(name == "lookup" && attribute.type() == NFTA_LOOKUP_DREG);
}

bool same_attributes(std::string_view name, Attributes ours, Attributes actual) {
  for (const Attribute attribute : ours) {
    const auto other = find(actual, attribute.type());
    if (!other) return false;
    const bool same = holds_data(name, attribute.type())
                          ? same_data(nested(attribute), nested(*other))
                          : equal(attribute.payload(), other->payload());
    if (!same) return false;
  }
  for (const Attribute attribute : actual)
    if (!find(ours, attribute.type()) && !may_be_added(name, attribute)) return false;
  return true;
}

struct Expression {
  std::string_view name{};
  Bytes data{};
};

std::vector<Expression> expressions_in(Bytes bytes) {
  std::vector<Expression> expressions;
  for (const Attribute element : Attributes(bytes)) {
    Expression& expression = expressions.emplace_back();
    for (const Attribute attribute : nested(element)) {
      if (attribute.type() == NFTA_EXPR_NAME) expression.name = attribute.text();
      if (attribute.type() == NFTA_EXPR_DATA) expression.data = attribute.payload();
    }
  }
  return expressions;
}

bool same_expression(const Expression& ours, const Expression& actual) {
  if (ours.name != actual.name) return false;
  if (ours.name == "counter") return true;
  return same_attributes(ours.name, Attributes(ours.data), Attributes(actual.data));
}

}  // namespace

Rule Rule::from_kernel(Bytes expressions, std::string comment) {
  Rule rule;
  rule.expressions_.assign(expressions.begin(), expressions.end());
  rule.comment_ = std::move(comment);
  return rule;
}

bool Rule::matches(const Rule& actual) const {
  if (comment_ != actual.comment_) return false;
  const auto ours = expressions_in(expressions_);
  const auto theirs = expressions_in(actual.expressions_);
  return std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(), same_expression);
}

}  // namespace weft::nft
