"""web3.py against the node that the settings file names: accounts, transfers, contracts, events, live subscriptions."""

import asyncio
import json
import sys
import traceback

from eth_account import Account
from web3 import AsyncWeb3, HTTPProvider, Web3, WebSocketProvider
from web3.exceptions import (
    ContractCustomError,
    ContractLogicError,
    ContractPanicError,
    TransactionNotFound,
    Web3RPCError,
)
from web3.logs import DISCARD
from web3.middleware import SignAndSendRawMiddlewareBuilder
from web3.utils import get_create_address

CHAIN_ID = 366
BASE_FEE = 4 * 10**12
COIN = 10**18
SUPPLY = 1000 * COIN
WAIT_SECONDS = 60  # ends a test that hangs

with open(sys.argv[1], encoding="utf-8") as file:
    SETTINGS = json.load(file)
IS_VIGIL = SETTINGS["isVigil"]
w3 = Web3(HTTPProvider(SETTINGS["http"]))
account = Account.from_key(SETTINGS["key"])
recipient = Web3.to_checksum_address("0x00000000000000000000000000000000c0ffee03")
state = {}


def equal(got, want, what):
    assert got == want, f"{what}: got {got!r}, want {want!r}"


def assert_estimate(estimate, used, what):
    assert used <= estimate and estimate * 100 <= used * 115, f"estimate of {what}: {estimate}, used {used}"


def contract(name, address=None):
    compiled = SETTINGS["contracts"][name]
    return w3.eth.contract(address=address, abi=compiled["abi"], bytecode=compiled["bytecode"])


def sign_and_send(tx):
    signed = account.sign_transaction(tx)
    sent = w3.eth.send_raw_transaction(signed.raw_transaction)
    equal(sent, signed.hash, "hash")
    return sent


def receipt_of(sent):
    return w3.eth.wait_for_transaction_receipt(sent, timeout=WAIT_SECONDS, poll_latency=0.1)


def base(**fields):
    return {"from": account.address, "chainId": CHAIN_ID, "nonce": w3.eth.get_transaction_count(account.address, "pending"), **fields}


def mine(call):
    receipt = receipt_of(sign_and_send(call.build_transaction(base())))
    equal(receipt["status"], 1, "status")
    return receipt


def refused(kind, call):
    """The refusal of this kind, of the call and of the estimate."""
    found = []
    for attempt in (call.call, call.estimate_gas):
        try:
            result = attempt({"from": account.address})
        except kind as error:
            found.append(error)
        else:
            raise AssertionError(f"must be refused, got {result}")
    equal(found[0].data, found[1].data, "data of call and estimate")
    return found[0]


def test_the_chain_and_its_newest_block():
    assert w3.is_connected()
    equal(w3.eth.chain_id, CHAIN_ID, "chain id")
    assert w3.eth.block_number >= 1
    assert w3.eth.get_balance(account.address) > COIN
    block = w3.eth.get_block("latest")
    equal(len(block["logsBloom"]), 256, "bloom")
    assert block["baseFeePerGas"] > 0 and w3.eth.gas_price > 0
    if IS_VIGIL:
        equal(block["baseFeePerGas"], BASE_FEE, "base fee")
        assert w3.eth.gas_price >= BASE_FEE
    history = w3.eth.fee_history(2, "latest", [5])
    equal([len(history["baseFeePerGas"]), len(history["gasUsedRatio"]), len(history["reward"])], [3, 2, 2], "fee history")
    equal(w3.eth.get_code(recipient), b"", "code of an account")


def test_transfers_of_type_0_1_and_2():
    before = w3.eth.get_balance(recipient)
    price = 2 * BASE_FEE
    kinds = [
        {"gasPrice": price, "gas": 21_000},
        {"gasPrice": price, "type": 1, "accessList": [{"address": recipient, "storageKeys": []}], "gas": 23_400},
        {"maxFeePerGas": price, "maxPriorityFeePerGas": 3, "gas": 21_000},
    ]
    sent = [sign_and_send(base(to=recipient, value=5, **kind)) for kind in kinds]
    for kind, (of_type, tx_hash) in zip(kinds, enumerate(sent)):
        receipt = receipt_of(tx_hash)
        fee = w3.eth.get_block(receipt["blockNumber"])["baseFeePerGas"]
        equal(receipt["type"], of_type, "type")
        equal(receipt["gasUsed"], kind["gas"], "gas")
        equal(receipt["effectiveGasPrice"], fee + 3 if of_type == 2 else price, "price")
        seen = w3.eth.get_transaction(tx_hash)
        equal([seen["from"], seen["to"], seen["value"], seen["type"]], [account.address, recipient, 5, of_type], "fields")
    equal(w3.eth.get_balance(recipient) - before, 15, "what was received")


def test_send_with_what_web3_fills_in():
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0, name="signing")
    try:
        tx_hash = w3.eth.send_transaction({"from": account.address, "to": recipient, "value": 1})
    finally:
        w3.middleware_onion.remove("signing")
    receipt = receipt_of(tx_hash)
    equal([receipt["type"], receipt["status"], receipt["gasUsed"]], [2, 1, 21_000], "type, status, gas")
    assert_estimate(w3.eth.estimate_gas({"from": account.address, "to": recipient, "value": 1}), 21_000, "a transfer")


def test_deploy_read_and_write_an_erc20():
    creation = contract("PlainToken").constructor("Web3 Coin", "WEB3", SUPPLY)
    tx = creation.build_transaction(base())
    receipt = receipt_of(sign_and_send(tx))
    equal(receipt["contractAddress"], get_create_address(account.address, tx["nonce"]), "contract address")
    assert_estimate(tx["gas"], receipt["gasUsed"], "a deployment")
    token = contract("PlainToken", receipt["contractAddress"])
    equal([token.functions.name().call(), token.functions.totalSupply().call()], ["Web3 Coin", SUPPLY], "name and supply")
    call = token.functions.transfer(recipient, COIN)
    estimate = call.estimate_gas({"from": account.address})
    moved = mine(call)
    assert_estimate(estimate, moved["gasUsed"], "an ERC-20 transfer")
    (event,) = token.events.Transfer().process_receipt(moved)
    equal(dict(event["args"]), {"from": account.address, "to": recipient, "value": COIN}, "event")
    found = token.events.Transfer().get_logs(from_block=0, argument_filters={"to": recipient})
    equal([entry["transactionHash"] for entry in found], [moved["transactionHash"]], "getLogs")
    then = token.functions.balanceOf(recipient)
    equal([then.call(block_identifier=moved["blockNumber"] - 1), then.call()], [0, COIN], "balance before and after")
    state["probe"] = contract("Probe", receipt_of(sign_and_send(contract("Probe").constructor().build_transaction(base())))["contractAddress"])


def test_an_erc721():
    address = receipt_of(sign_and_send(contract("VirtualGift").constructor().build_transaction(base())))["contractAddress"]
    gift = contract("VirtualGift", address)
    equal(gift.functions.supportsInterface("0x80ac58cd").call(), True, "supports ERC-721")
    mine(gift.functions.offer(0, 1, "ipfs://star"))
    bought = mine(gift.functions.buy(0, account.address, "for me"))
    (minted,) = gift.events.Transfer().process_receipt(bought, errors=DISCARD)
    equal(minted["args"]["tokenId"], 1, "token id")
    mine(gift.functions.transferFrom(account.address, recipient, 1))
    equal([gift.functions.ownerOf(1).call(), gift.functions.tokenURI(1).call()], [recipient, "ipfs://star"], "owner and uri")


def test_reasons_of_a_refusal():
    functions = state["probe"].functions
    assert "the stream is over" in str(refused(ContractLogicError, functions.failWithText()))
    refused(ContractPanicError, functions.failByDivision(0))
    data = refused(ContractCustomError, functions.failWithError(3)).data
    equal(data[:10], Web3.to_hex(Web3.keccak(text="Refused(address,uint256)")[:4]), "selector")
    equal(w3.codec.decode(["address", "uint256"], bytes.fromhex(data[10:])), (account.address.lower(), 3), "arguments")


def test_filters():
    probe = state["probe"]
    blocks, events = w3.eth.filter("latest"), probe.events.Noted.create_filter(from_block="latest")
    receipt = mine(probe.functions.note(5, "filtered"))
    assert receipt["blockHash"] in blocks.get_new_entries(), "the block"
    entries = events.get_new_entries()
    equal([entry["args"]["text"] for entry in entries], ["filtered"], "the event")
    equal(events.get_new_entries(), [], "told once")
    equal(w3.eth.uninstall_filter(events.filter_id), True, "uninstalled")
    try:
        events.get_new_entries()
    except Web3RPCError as error:
        assert "filter not found" in str(error), error
    else:
        raise AssertionError("an uninstalled filter answers")


def test_what_is_unknown():
    try:
        w3.eth.get_transaction("0x" + "ab" * 32)
    except TransactionNotFound:
        pass
    else:
        raise AssertionError("an unknown transaction was found")
    equal(w3.provider.make_request("eth_getTransactionReceipt", ["0x" + "ab" * 32])["result"], None, "receipt")


def test_subscriptions_over_websocket():
    asyncio.run(asyncio.wait_for(subscriptions(), WAIT_SECONDS))


async def subscriptions():
    probe = state["probe"]
    topic = Web3.to_hex(Web3.keccak(text="Noted(address,uint256,string)"))
    async with AsyncWeb3(WebSocketProvider(SETTINGS["ws"])) as live:
        equal(await live.eth.chain_id, CHAIN_ID, "chain id over WebSocket")
        heads = await live.eth.subscribe("newHeads")
        logs = await live.eth.subscribe("logs", {"address": probe.address, "topics": [topic]})
        pending = await live.eth.subscribe("newPendingTransactions")
        tx = probe.functions.note(6, "live").build_transaction(base())
        sent = await asyncio.to_thread(sign_and_send, tx)
        numbers, found, hashes = [], [], []
        async for message in live.socket.process_subscriptions():
            result = message["result"]
            if message["subscription"] == heads:
                numbers.append(result["number"])
            elif message["subscription"] == logs:
                found.append(result)
            elif message["subscription"] == pending:
                hashes.append(result)
            if len(numbers) >= 3 and found and sent in hashes:
                break
        equal(numbers, list(range(numbers[0], numbers[0] + len(numbers))), "heads")
        equal([(log["address"], log["transactionHash"]) for log in found], [(probe.address, sent)], "logs")
        equal(await live.eth.unsubscribe(logs), True, "unsubscribed")


def main():
    failed = 0
    for name, test in [(name, test) for name, test in globals().items() if name.startswith("test_")]:
        title = name[len("test_") :].replace("_", " ")
        try:
            test()
            print(f"ok   web3.py: {title}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL web3.py: {title}\n{traceback.format_exc()}", flush=True)
    sys.exit(1 if failed else 0)


main()
