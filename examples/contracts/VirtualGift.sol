// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

interface IERC721Receiver {
    function onERC721Received(address operator, address from, uint256 tokenId, bytes calldata data) external returns (bytes4);
}

/// Virtual gifts of a live stream as ERC-721 tokens. A streamer offers kinds of gifts; a viewer buys one with the native coin
/// for himself or somebody else. The price is the streamer's, who withdraws it.
contract VirtualGift {
    struct Kind {
        address streamer;
        uint96 price; // wei
        uint32 supplyMax;
        uint32 sold;
        bool open;
        string uri;
    }

    string public constant name = "Virtual Gift";
    string public constant symbol = "GIFT";

    Kind[] private _kinds;
    uint256 public totalSupply;
    mapping(uint256 => uint256) public kindOf;
    mapping(address => uint256) public earnings;

    mapping(uint256 => address) private _owners;
    mapping(address => uint256) private _balances;
    mapping(uint256 => address) private _approved;
    mapping(address => mapping(address => bool)) public isApprovedForAll;

    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);
    event KindOffered(uint256 indexed kind, address indexed streamer, uint96 price, uint32 supplyMax);
    event KindClosed(uint256 indexed kind);
    event GiftBought(uint256 indexed tokenId, uint256 indexed kind, address indexed buyer, address to, string message);
    event Withdrawn(address indexed streamer, address to, uint256 amount);

    error UnknownKind(uint256 kind);
    error KindIsClosed(uint256 kind);
    error SoldOut(uint256 kind, uint32 supplyMax);
    error WrongPrice(uint256 sent, uint256 price);
    error NotStreamer(address caller);
    error BadSupply();
    error MessageTooLong(uint256 length, uint256 limit);
    error NothingToWithdraw(address streamer);
    error PaymentFailed(address to, uint256 amount);
    error UnknownToken(uint256 tokenId);
    error NotOwnerNorApproved(address caller, uint256 tokenId);
    error WrongOwner(address from, uint256 tokenId);
    error InvalidRecipient(address to);
    error InvalidOwner(address owner);

    uint256 public constant MESSAGE_BYTES_MAX = 280;

    // --- shop ---

    function offer(uint96 price, uint32 supplyMax, string calldata uri) external returns (uint256 kind) {
        if (supplyMax == 0) revert BadSupply();
        kind = _kinds.length;
        _kinds.push(Kind(msg.sender, price, supplyMax, 0, true, uri));
        emit KindOffered(kind, msg.sender, price, supplyMax);
    }

    /// Ends the sale of a kind; gifts that were bought remain.
    function close(uint256 kind) external {
        if (_kind(kind).streamer != msg.sender) revert NotStreamer(msg.sender);
        _kinds[kind].open = false;
        emit KindClosed(kind);
    }

    /// Buys one gift of the kind for `to`, at exactly its price. A contract must accept it as in a safe transfer.
    function buy(uint256 kind, address to, string calldata message) external payable returns (uint256 tokenId) {
        Kind storage gift = _kind(kind);
        if (!gift.open) revert KindIsClosed(kind);
        if (gift.sold == gift.supplyMax) revert SoldOut(kind, gift.supplyMax);
        if (msg.value != gift.price) revert WrongPrice(msg.value, gift.price);
        if (bytes(message).length > MESSAGE_BYTES_MAX) revert MessageTooLong(bytes(message).length, MESSAGE_BYTES_MAX);
        if (to == address(0)) revert InvalidRecipient(to);
        gift.sold += 1;
        earnings[gift.streamer] += msg.value;
        tokenId = ++totalSupply;
        kindOf[tokenId] = kind;
        _owners[tokenId] = to;
        _balances[to] += 1;
        emit Transfer(address(0), to, tokenId);
        emit GiftBought(tokenId, kind, msg.sender, to, message);
        _askReceiver(address(0), to, tokenId, "");
    }

    function withdraw(address to) external returns (uint256 amount) {
        if (to == address(0)) revert InvalidRecipient(to);
        amount = earnings[msg.sender];
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        earnings[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        (bool paid, ) = to.call{value: amount}("");
        if (!paid) revert PaymentFailed(to, amount);
    }

    function kindInfo(uint256 kind) external view returns (Kind memory) {
        return _kind(kind);
    }

    function kindCount() external view returns (uint256) {
        return _kinds.length;
    }

    // --- ERC-165, ERC-721, ERC-721 metadata ---

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0x80ac58cd || id == 0x5b5e139f;
    }

    function tokenURI(uint256 tokenId) external view returns (string memory) {
        ownerOf(tokenId);
        return _kinds[kindOf[tokenId]].uri;
    }

    function balanceOf(address owner) external view returns (uint256) {
        if (owner == address(0)) revert InvalidOwner(owner);
        return _balances[owner];
    }

    function ownerOf(uint256 tokenId) public view returns (address owner) {
        owner = _owners[tokenId];
        if (owner == address(0)) revert UnknownToken(tokenId);
    }

    function getApproved(uint256 tokenId) public view returns (address) {
        ownerOf(tokenId);
        return _approved[tokenId];
    }

    function approve(address to, uint256 tokenId) external {
        address owner = ownerOf(tokenId);
        if (msg.sender != owner && !isApprovedForAll[owner][msg.sender]) revert NotOwnerNorApproved(msg.sender, tokenId);
        _approved[tokenId] = to;
        emit Approval(owner, to, tokenId);
    }

    function setApprovalForAll(address operator, bool approved) external {
        isApprovedForAll[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    function transferFrom(address from, address to, uint256 tokenId) public {
        address owner = ownerOf(tokenId);
        if (owner != from) revert WrongOwner(from, tokenId);
        if (to == address(0)) revert InvalidRecipient(to);
        if (msg.sender != owner && !isApprovedForAll[owner][msg.sender] && _approved[tokenId] != msg.sender) {
            revert NotOwnerNorApproved(msg.sender, tokenId);
        }
        delete _approved[tokenId];
        _balances[from] -= 1;
        _balances[to] += 1;
        _owners[tokenId] = to;
        emit Transfer(from, to, tokenId);
    }

    function safeTransferFrom(address from, address to, uint256 tokenId) external {
        safeTransferFrom(from, to, tokenId, "");
    }

    function safeTransferFrom(address from, address to, uint256 tokenId, bytes memory data) public {
        transferFrom(from, to, tokenId);
        _askReceiver(from, to, tokenId, data);
    }

    function _kind(uint256 kind) private view returns (Kind storage) {
        if (kind >= _kinds.length) revert UnknownKind(kind);
        return _kinds[kind];
    }

    // A contract that does not know ERC-721 would lock the token in for good.
    function _askReceiver(address from, address to, uint256 tokenId, bytes memory data) private {
        if (to.code.length == 0) return;
        try IERC721Receiver(to).onERC721Received(msg.sender, from, tokenId, data) returns (bytes4 answer) {
            if (answer != IERC721Receiver.onERC721Received.selector) revert InvalidRecipient(to);
        } catch (bytes memory reason) {
            if (reason.length == 0) revert InvalidRecipient(to);
            // The receiver's own reason.
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }
}
