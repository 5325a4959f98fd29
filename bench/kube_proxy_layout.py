#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the nftables rules that kube-proxy 1.31-1.35 makes of N Services with E endpoints each, for `nft -f`.

Per Service port a chain, per endpoint a chain, and an anonymous verdict map from one to the others: the layout
Weft's flat tables are measured against. The fixed chains that carry no Service are left out, in its favour.
Usage: kube_proxy_layout.py SERVICES ENDPOINTS           the whole table
       kube_proxy_layout.py SERVICES ENDPOINTS --change  the last Service with another last endpoint
"""
import sys


def vip(service):
    return f"10.96.{service // 250}.{service % 250 + 1}"


def backend(service, index):
    number = service * 16 + index
    return f"10.{100 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"


def endpoint_chain(service, index, address):
    return f"endpoint-{service:05x}{index:03x}-default/svc{service}/tcp/80__{address}/8080"


def service_chain(service):
    return f"service-{service:08x}-default/svc{service}/tcp/80"


def service_rules(service, addresses):
    chains = [endpoint_chain(service, index, address) for index, address in enumerate(addresses)]
    for chain, address in zip(chains, addresses):
        yield f"add chain ip kube-proxy {chain}"
        yield f"flush chain ip kube-proxy {chain}"
        yield f"add rule ip kube-proxy {chain} ip saddr {address} jump mark-for-masquerade"
        yield f"add rule ip kube-proxy {chain} meta l4proto tcp dnat to {address}:8080"
    name = service_chain(service)
    yield f"add chain ip kube-proxy {name}"
    yield f"flush chain ip kube-proxy {name}"
    yield f"add rule ip kube-proxy {name} ip daddr {vip(service)} tcp dport 80 ip saddr != 10.0.0.0/8 jump mark-for-masquerade"
    targets = ", ".join(f"{index} : goto {chain}" for index, chain in enumerate(chains))
    yield f"add rule ip kube-proxy {name} numgen random mod {len(chains)} vmap {{ {targets} }}"


def table(services, endpoints):
    yield "add table ip kube-proxy"
    yield "add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; }"
    yield "add set ip kube-proxy cluster-ips { type ipv4_addr ; }"
    yield "add chain ip kube-proxy mark-for-masquerade"
    yield "add rule ip kube-proxy mark-for-masquerade mark set mark or 0x4000"
    yield "add chain ip kube-proxy services"
    yield "add rule ip kube-proxy services ip daddr . meta l4proto . th dport vmap @service-ips"
    for chain, hook, priority in (("nat-prerouting", "prerouting", -100), ("nat-output", "output", -100)):
        yield f"add chain ip kube-proxy {chain} {{ type nat hook {hook} priority {priority} ; }}"
        yield f"add rule ip kube-proxy {chain} jump services"
    for service in range(services):
        yield from service_rules(service, [backend(service, index) for index in range(endpoints)])
        yield f"add element ip kube-proxy cluster-ips {{ {vip(service)} }}"
        yield f"add element ip kube-proxy service-ips {{ {vip(service)} . tcp . 80 : goto {service_chain(service)} }}"


def change(services, endpoints):
    addresses = [backend(services - 1, index) for index in range(endpoints - 1)] + ["10.250.0.1"]
    return service_rules(services - 1, addresses)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    write = change if "--change" in sys.argv else table
    print("\n".join(write(int(sys.argv[1]), int(sys.argv[2]))))
